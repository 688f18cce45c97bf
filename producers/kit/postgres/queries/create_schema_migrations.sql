-- The migrations that were applied to this schema. `sha256` is the digest of the file at that time.
CREATE TABLE IF NOT EXISTS schema_migrations (
    migrations_of text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (migrations_of, number)
);
