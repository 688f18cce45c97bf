-- Once for each order.
INSERT INTO points (order_id, shopper_id, points)
VALUES ($1::uuid, $2::text, $3::bigint)
ON CONFLICT (order_id) DO NOTHING;
