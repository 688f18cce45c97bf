"""How a service keeps its books: one PostgreSQL schema of its own, SQL in files, numbered migrations."""
