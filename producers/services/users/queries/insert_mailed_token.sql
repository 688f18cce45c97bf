INSERT INTO mailed_tokens (token_sha256, user_id, purpose, new_email, expires_at)
SELECT $1::bytea, user_id, $3::text, $4::text, $5::timestamptz FROM people WHERE email = $2::text AND NOT is_demo
RETURNING user_id;
