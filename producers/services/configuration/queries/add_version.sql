-- Adds the next version of a setting whose row is locked.
WITH changed AS (
    UPDATE settings SET version = $2::bigint WHERE name = $1::text
)
INSERT INTO versions (name, version, value, author, reason, changed_at, rolled_back_to)
VALUES ($1::text, $2::bigint, $3::jsonb, $4::text, $5::text, $6::timestamptz, $7::bigint);
