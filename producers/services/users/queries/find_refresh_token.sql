SELECT user_id FROM refresh_tokens JOIN sessions USING (session_id) WHERE token_sha256 = $1::bytea;
