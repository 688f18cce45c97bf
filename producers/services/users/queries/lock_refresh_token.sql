SELECT session_id, user_id, expires_at, ended_at, replaced_at
FROM refresh_tokens JOIN sessions USING (session_id)
WHERE token_sha256 = $1::bytea
FOR UPDATE;
