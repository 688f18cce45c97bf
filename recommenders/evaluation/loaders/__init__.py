"""Reads and checks the Parquet or CSV files that users give to `./souk evaluate`."""
