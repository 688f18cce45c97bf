"""Experiments with recommendations: their definitions, results, and what recommendations brought sellers."""
