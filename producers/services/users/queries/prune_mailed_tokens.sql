DELETE FROM mailed_tokens
WHERE token_sha256 IN (
    SELECT token_sha256 FROM mailed_tokens WHERE expires_at < now() - $1::interval LIMIT $2::integer
);
