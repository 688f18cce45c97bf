"""Proposes a mapping of tables, from the names of their columns and from their values."""
