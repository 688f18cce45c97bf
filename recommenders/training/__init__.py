"""Trains a recommender on the platform's events, and publishes it if it is not worse than the current one."""
