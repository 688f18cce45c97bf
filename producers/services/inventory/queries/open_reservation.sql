-- Returns no row if the order has a reservation already. Waits for another transaction that is opening one.
INSERT INTO reservations (order_id, reservation_id, state, expires_at)
VALUES ($1::uuid, $2::uuid, $3::text, $4::timestamptz)
ON CONFLICT (order_id) DO NOTHING
RETURNING order_id;
