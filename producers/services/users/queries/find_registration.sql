SELECT email, name, password_hash FROM registrations
WHERE token_sha256 = $1::bytea AND expires_at > $2::timestamptz;
