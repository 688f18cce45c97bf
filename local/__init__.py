"""The stack on one machine: how each part is found, started, known ready, and stopped."""
