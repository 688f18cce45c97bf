"""Checks the SQL of readers and sellers: what statements, functions, settings and tables it may use."""
