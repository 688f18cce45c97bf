"""Measures the API: answers in use, the gateway, and a load that is larger than it can take."""
