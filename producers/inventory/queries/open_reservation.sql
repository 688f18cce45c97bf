-- No row if the order was heard of before; waits for a transaction that is hearing of it.
INSERT INTO reservations (order_id, reservation_id, state, expires_at)
VALUES ($1::uuid, $2::uuid, $3::text, $4::timestamptz)
ON CONFLICT (order_id) DO NOTHING
RETURNING order_id;
