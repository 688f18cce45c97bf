"""The platform's parts: how each one is found, started and checked."""
