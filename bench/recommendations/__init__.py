"""Measures the recommendations of a running platform: freshness, cost and memory."""
