DELETE FROM registrations
WHERE token_sha256 IN (
    SELECT token_sha256 FROM registrations WHERE expires_at < now() - $1::interval LIMIT $2::integer
);
