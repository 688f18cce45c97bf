SELECT key_id, name, hint, scopes, created_at, created_by, expires_at, last_used_at, revoked_at
FROM api_keys
WHERE seller_id = $1::text
ORDER BY key_id DESC
LIMIT 500;
