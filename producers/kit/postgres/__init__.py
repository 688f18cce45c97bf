"""PostgreSQL for the services: one schema for each service, SQL in files, numbered migrations."""
