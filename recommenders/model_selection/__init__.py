"""Chooses a model and its settings for a log within a time budget, by validation splits of the log."""
