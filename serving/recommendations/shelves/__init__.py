"""Rows of products with a title that says why they are shown."""
