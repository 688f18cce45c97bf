-- Deletes at most $2 requests that are older than $1.
DELETE FROM stored_responses
WHERE id IN (SELECT id FROM stored_responses WHERE begun_at < now() - $1::interval LIMIT $2::integer);
