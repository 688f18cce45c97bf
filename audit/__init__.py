"""Compares stores with each other, to the cent and the row: one module a comparison."""
