"""The tables analysts read: migrations, queries, client, and the HTTP front of the bundled engine."""
