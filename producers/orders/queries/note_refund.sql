-- A refund, once: what came back so far, and whether that was all of it. Where less came back the order stays paid.
WITH noted AS (
    INSERT INTO order_steps (order_id, step, occurred_at, about)
    SELECT $1::uuid, 'refunded', $3::timestamptz, $2::text
    WHERE NOT EXISTS (
        SELECT FROM order_steps WHERE order_id = $1::uuid AND step = 'refunded' AND about = $2::text
    )
    RETURNING order_id
)
UPDATE orders
SET refunded_minor = least(refunded_minor + $4::bigint, amount_minor),
    payment_status = CASE WHEN refunded_minor + $4::bigint >= amount_minor THEN 'refunded' ELSE 'captured' END
FROM noted
WHERE orders.order_id = noted.order_id;
