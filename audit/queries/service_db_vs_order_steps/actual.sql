-- The steps of every order that the service placed, from the events.
SELECT order_id, step, at
FROM
(
    SELECT order_id, 'placed' AS step, toNullable(toString(occurred_at)) AS at FROM order_placed FINAL
    UNION ALL
    SELECT order_id, 'confirmed', toString(occurred_at) FROM order_confirmed FINAL
    UNION ALL
    SELECT order_id, 'cancelled', toString(occurred_at) FROM order_cancelled FINAL
    UNION ALL
    SELECT DISTINCT order_id, 'refunded', NULL FROM payment_refunded
    UNION ALL
    SELECT DISTINCT order_id, 'shipped', NULL
    FROM order_shipped WHERE order_id NOT IN (SELECT order_id FROM order_cancelled)
    UNION ALL
    SELECT DISTINCT order_id, 'delivered', NULL
    FROM order_delivered WHERE order_id NOT IN (SELECT order_id FROM order_cancelled)
)
WHERE match(order_id, {own_order:String})
