"""The ClickHouse tables: migrations, queries, a client, and an HTTP server with an embedded engine."""
