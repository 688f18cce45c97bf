DELETE FROM idempotency_keys
WHERE (shopper_id, key) IN (
    SELECT shopper_id, key FROM idempotency_keys WHERE answered_at < now() - $1::interval LIMIT $2::integer
);
