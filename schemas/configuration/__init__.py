"""Tells each process the current values of the settings."""
