UPDATE registrations SET token_sha256 = $2::bytea, expires_at = $3::timestamptz WHERE token_sha256 = $1::bytea;
