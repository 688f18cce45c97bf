"""Reads what people bring to `./souk evaluate`: Parquet or CSV files, checked before anything is learned."""
