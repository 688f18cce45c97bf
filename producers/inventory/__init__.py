"""Keeps every seller's stock: on hand, held for orders, sold, given back."""
