"""PostgreSQL for the services: one schema for each service, statements as functions, numbered migrations."""
