"""Simulates a marketplace from a seed: weeks of history, live traffic, and the ground truth of both."""
