"""Compares the data in all stores of the platform with each other, row by row."""
