"""Compares the stores with each other, to the cent and the row."""
