"""Turns a published data set into events, in event-time order."""
