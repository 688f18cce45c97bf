-- Notes an event and takes the row of its order. One row: without an order if there is none, or it was noted before.
WITH noted AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), locked AS (
    SELECT order_id, shopper_id, currency, status, payment_status, placed_at
    FROM orders
    WHERE order_id = $3::uuid AND EXISTS (SELECT FROM noted)
    FOR UPDATE
)
SELECT EXISTS (SELECT FROM noted) AS first_time, locked.* FROM (SELECT) AS always LEFT JOIN locked ON true;
