"""Trains a recommender on the platform's facts, and publishes it if it is not worse than the one in use."""
