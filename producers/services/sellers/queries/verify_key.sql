-- Returns the valid key with this digest, if its seller is approved, and notes its use at most once a minute.
WITH valid AS (
    SELECT key_id, seller_id, scopes, expires_at, api_keys.created_by, api_keys.created_at, last_used_at
    FROM api_keys
    JOIN sellers USING (seller_id)
    WHERE digest = $1::bytea AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2::timestamptz)
        AND sellers.status = 'approved'
), used AS (
    UPDATE api_keys SET last_used_at = $2::timestamptz
    FROM valid
    WHERE api_keys.key_id = valid.key_id
        AND (valid.last_used_at IS NULL OR valid.last_used_at <= $2::timestamptz - interval '1 minute')
)
SELECT key_id, seller_id, scopes, expires_at, created_by, created_at FROM valid;
