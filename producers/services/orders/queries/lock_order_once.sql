-- Records an event and locks its order. Returns one row. It has no order if there is none or if the event is not new.
WITH recorded AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), locked AS (
    SELECT order_id, shopper_id, currency, status, payment_status, placed_at, has_returns
    FROM orders
    WHERE order_id = $3::uuid AND EXISTS (SELECT FROM recorded)
    FOR UPDATE
)
SELECT EXISTS (SELECT FROM recorded) AS first_time, locked.* FROM (SELECT) AS always LEFT JOIN locked ON true;
