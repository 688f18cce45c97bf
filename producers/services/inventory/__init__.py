"""Manages every seller's stock: units on hand, reserved for orders, sold and returned."""
