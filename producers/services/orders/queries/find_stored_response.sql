SELECT order_id, request_sha256, answer, shopper_id AS key_owner
FROM idempotency_keys WHERE key = $1::text AND shopper_id = $2::text;
