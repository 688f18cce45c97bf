"""Chooses the model and its settings for any log, within a time, on validation cut from the log alone."""
