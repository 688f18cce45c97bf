INSERT INTO order_steps (order_id, step, occurred_at)
VALUES ($1::uuid, $2::text, $3::timestamptz)
ON CONFLICT DO NOTHING;
