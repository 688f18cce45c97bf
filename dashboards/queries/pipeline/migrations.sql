-- Which migrations this database has had, newest first.
SELECT
    name,
    applied_at
FROM schema_migrations FINAL
ORDER BY number DESC
