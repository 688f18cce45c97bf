WITH opened AS (
    INSERT INTO sessions (session_id, user_id, device, address, created_at, last_used_at, expires_at)
    VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::timestamptz, $5::timestamptz, $6::timestamptz)
    RETURNING session_id
)
INSERT INTO refresh_tokens (token_sha256, session_id) SELECT $7::bytea, session_id FROM opened;
