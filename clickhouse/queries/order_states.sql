-- The status of the orders with these ids, and when the newest parcel of a seller was shipped and delivered.
SELECT
    order_id,
    max(status) AS status,
    toUnixTimestamp64Milli(max(confirmed_at)) AS confirmed_ms,
    nullIf(toUnixTimestamp64Milli(max(shipped_by[{seller_id:String}])), 0) AS shipped_ms,
    nullIf(toUnixTimestamp64Milli(max(delivered_by[{seller_id:String}])), 0) AS delivered_ms,
    toUnixTimestamp64Milli(max(cancelled_at)) AS cancelled_ms
FROM order_state
WHERE order_id IN {order_ids:Array(String)}
GROUP BY order_id
