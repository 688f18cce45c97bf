SELECT subject, failures, blocked_until, last_attempt_at FROM throttles
WHERE subject = ANY ($1::bytea[])
ORDER BY subject
FOR UPDATE;
