-- Records an event and locks the payment of its order, which it creates if there is none. Returns one row.
WITH recorded AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), locked AS (
    INSERT INTO payments (order_id, payment_id) SELECT $3::uuid, $4::uuid FROM recorded
    ON CONFLICT (order_id) DO UPDATE SET order_id = excluded.order_id
    RETURNING order_id, payment_id, shopper_id, method, installments, currency, amount_minor, reserved,
        cancelled, state, attempts
)
SELECT EXISTS (SELECT FROM recorded) AS first_time, locked.* FROM (SELECT) AS always LEFT JOIN locked ON true;
