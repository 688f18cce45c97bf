SELECT session_id, device, address, created_at, last_used_at
FROM sessions
WHERE user_id = $1::uuid AND ended_at IS NULL AND expires_at > $2::timestamptz
ORDER BY last_used_at DESC, session_id;
