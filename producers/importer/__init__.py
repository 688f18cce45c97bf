"""Converts a published data set into events and sends them in event-time order."""
