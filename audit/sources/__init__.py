"""Reads each store into Arrow tables."""
