"""Reads the files and cells that people make with spreadsheets and export from shops."""
