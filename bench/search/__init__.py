"""Measures how well and how fast the shop's search finds products, beside PostgreSQL."""
