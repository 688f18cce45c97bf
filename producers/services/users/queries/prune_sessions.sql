DELETE FROM sessions
WHERE session_id IN (
    SELECT session_id FROM sessions WHERE least(ended_at, expires_at) < now() - $1::interval LIMIT $2::integer
);
