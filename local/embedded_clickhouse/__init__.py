"""ClickHouse's HTTP interface over chdb, for machines without a ClickHouse server."""
