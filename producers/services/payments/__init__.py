"""Charges orders, and refunds them, through a payment provider."""
