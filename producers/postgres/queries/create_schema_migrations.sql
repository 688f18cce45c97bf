-- The migrations that were applied to this schema; sha256 is the file's when it was applied.
CREATE TABLE IF NOT EXISTS schema_migrations (
    migrations_of text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (migrations_of, number)
);
