DELETE FROM throttles
WHERE subject IN (SELECT subject FROM throttles WHERE last_attempt_at < now() - $1::interval LIMIT $2::integer);
