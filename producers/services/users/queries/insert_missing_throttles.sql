INSERT INTO throttles (subject, failures, blocked_until, last_attempt_at)
SELECT subject, 0, $2::timestamptz, $2::timestamptz FROM unnest($1::bytea[]) AS subject
ORDER BY subject
ON CONFLICT (subject) DO NOTHING;
