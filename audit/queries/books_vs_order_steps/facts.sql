-- The same of the events.
SELECT order_id, step, at_ms
FROM
(
    SELECT order_id, 'placed' AS step, toNullable(toUnixTimestamp64Milli(occurred_at)) AS at_ms FROM order_placed FINAL
    UNION ALL
    SELECT order_id, 'confirmed', toUnixTimestamp64Milli(occurred_at) FROM order_confirmed FINAL
    UNION ALL
    SELECT order_id, 'cancelled', toUnixTimestamp64Milli(occurred_at) FROM order_cancelled FINAL
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
