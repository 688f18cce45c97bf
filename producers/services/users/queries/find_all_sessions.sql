SELECT session_id, device, address, created_at, last_used_at, ended_at
FROM sessions
WHERE user_id = $1::uuid
ORDER BY created_at, session_id;
