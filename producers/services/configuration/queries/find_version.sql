SELECT version, value, author, reason, changed_at, rolled_back_to
FROM versions
WHERE name = $1::text AND version = $2::bigint;
