SELECT request_sha256, committed_at IS NOT NULL AS is_committed, begun_at < now() - $2::interval AS is_abandoned, status, response
FROM stored_responses
WHERE id = $1::bytea;
