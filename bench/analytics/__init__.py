"""Compares answers about one seller with plain queries of the same rows, in ClickHouse and in PostgreSQL."""
