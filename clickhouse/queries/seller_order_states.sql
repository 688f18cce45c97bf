-- How far the orders with these ids are, and when a seller's own parcels of them left and arrived last.
SELECT
    order_id,
    max(status) AS status,
    toUnixTimestamp64Milli(max(confirmed_at)) AS confirmed_ms,
    toUnixTimestamp64Milli(max(shipped_at)) AS shipped_ms,
    toUnixTimestamp64Milli(max(delivered_at)) AS delivered_ms,
    toUnixTimestamp64Milli(max(cancelled_at)) AS cancelled_ms
FROM
(
    SELECT order_id, status, confirmed_at, NULL AS shipped_at, NULL AS delivered_at, cancelled_at
    FROM order_state
    WHERE order_id IN {order_ids:Array(String)}
    UNION ALL
    SELECT order_id, NULL, NULL, occurred_at, NULL, NULL
    FROM order_shipped
    WHERE seller_id = {seller_id:String} AND order_id IN {order_ids:Array(String)}
    UNION ALL
    SELECT order_id, NULL, NULL, NULL, occurred_at, NULL
    FROM order_delivered
    WHERE seller_id = {seller_id:String} AND order_id IN {order_ids:Array(String)}
)
GROUP BY order_id
