WITH replaced AS (
    UPDATE refresh_tokens SET replaced_at = $3::timestamptz WHERE token_sha256 = $1::bytea RETURNING session_id
), used AS (
    UPDATE sessions SET last_used_at = $3::timestamptz, expires_at = $4::timestamptz, address = $5::text
    FROM replaced
    WHERE sessions.session_id = replaced.session_id
)
INSERT INTO refresh_tokens (token_sha256, session_id) SELECT $2::bytea, session_id FROM replaced;
