"""Measures sellers' figures: how soon they are complete, and the answers about long periods."""
