-- The migrations that were applied to this database, newest first.
SELECT
    name,
    applied_at
FROM schema_migrations FINAL
ORDER BY number DESC
