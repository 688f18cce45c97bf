INSERT INTO registrations (token_sha256, email, name, password_hash, registered_at, expires_at)
VALUES ($1::bytea, $2::text, $3::text, $4::text, $5::timestamptz, $6::timestamptz);
