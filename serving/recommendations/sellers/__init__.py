"""Sellers whom a visitor may want to follow."""
