DELETE FROM mailed_tokens
WHERE token_sha256 = $1::bytea AND purpose = $2::text AND expires_at > $3::timestamptz
RETURNING user_id, new_email;
