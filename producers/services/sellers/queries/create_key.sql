-- Stores a key of a locked, approved seller, unless it has $10 valid keys already.
INSERT INTO api_keys (key_id, seller_id, name, digest, hint, scopes, created_at, created_by, expires_at)
SELECT $1::uuid, $2::text, $3::text, $4::bytea, $5::text, $6::text[], $7::timestamptz, $8::text, $9::timestamptz
WHERE (
    SELECT count(*) FROM api_keys
    WHERE seller_id = $2::text AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $7::timestamptz)
) < $10::integer
RETURNING key_id, name, hint, scopes, created_at, created_by, expires_at, last_used_at, revoked_at;
