"""Measures speed and memory beside a peer in the same run."""
