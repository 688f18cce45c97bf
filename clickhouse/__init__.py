"""The tables analysts read: migrations, queries, client, and the HTTP server of the bundled engine."""
