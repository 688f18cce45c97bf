-- Adds a refund, once. The payment becomes `refunded` if the refunds add up to the order's amount. Otherwise it is
-- `captured`.
WITH recorded AS (
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
FROM recorded
WHERE orders.order_id = recorded.order_id;
