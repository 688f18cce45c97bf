"""Keeps every seller's stock: on hand, reserved for orders, sold, returned."""
