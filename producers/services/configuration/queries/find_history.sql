-- Returns at most $3 versions of a setting that are older than $2, the newest first.
SELECT version, value, author, reason, changed_at, rolled_back_to
FROM versions
WHERE name = $1::text AND ($2::bigint IS NULL OR version < $2::bigint)
ORDER BY version DESC
LIMIT $3::integer;
