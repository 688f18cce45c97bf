"""Recommendations from what a shopper and others viewed and bought."""
