-- How far the orders with these ids have come, and when they took each step.
SELECT
    order_id,
    status,
    toUnixTimestamp64Milli(confirmed_at) AS confirmed_ms,
    toUnixTimestamp64Milli(shipped_at) AS shipped_ms,
    toUnixTimestamp64Milli(delivered_at) AS delivered_ms,
    toUnixTimestamp64Milli(cancelled_at) AS cancelled_ms
FROM order_state FINAL
WHERE order_id IN {order_ids:Array(String)}
