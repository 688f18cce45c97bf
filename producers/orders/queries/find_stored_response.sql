SELECT order_id, request_sha256, answer FROM idempotency_keys WHERE key = $1::text;
