"""PostgreSQL for a service: one schema of its own, SQL in files, numbered migrations."""
