"""Caches serialised responses in Redis, and drops them when the events that they depend on arrive."""
