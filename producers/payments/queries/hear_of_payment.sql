-- Notes an event and takes the payment of its order, made if it was never heard of. One row.
WITH noted AS (
    INSERT INTO inbox (id, topic) VALUES ($1::text, $2::text) ON CONFLICT (id) DO NOTHING RETURNING id
), heard AS (
    INSERT INTO payments (order_id, payment_id) SELECT $3::uuid, $4::uuid FROM noted
    ON CONFLICT (order_id) DO UPDATE SET order_id = excluded.order_id
    RETURNING order_id, payment_id, shopper_id, method, token, installments, currency, amount_minor, reserved,
        cancelled, state, attempts
)
SELECT EXISTS (SELECT FROM noted) AS first_time, heard.* FROM (SELECT) AS always LEFT JOIN heard ON true;
