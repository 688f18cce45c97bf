UPDATE sessions SET ended_at = $3::timestamptz
WHERE user_id = $1::uuid AND session_id = $2::uuid AND ended_at IS NULL AND expires_at > $3::timestamptz
RETURNING session_id;
