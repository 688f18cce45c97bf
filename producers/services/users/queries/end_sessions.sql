-- $3 is a session that goes on.
UPDATE sessions SET ended_at = $2::timestamptz
WHERE user_id = $1::uuid AND ended_at IS NULL AND session_id IS DISTINCT FROM $3::uuid
RETURNING session_id;
