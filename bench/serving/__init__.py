"""Measures the API: answers in use, and a load that is larger than it can take."""
