"""The metrics that ClickHouse computes: each a table that materialised views fill from the fact tables."""
