"""Recommender models, their evaluation and their selection. This library uses neither servers nor Flink."""
