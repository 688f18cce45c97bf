DELETE FROM idempotency_keys
WHERE key IN (SELECT key FROM idempotency_keys WHERE answered_at < now() - $1::interval LIMIT $2::integer);
