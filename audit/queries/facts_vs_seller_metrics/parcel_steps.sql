-- Every step of every order for each of its sellers, from the facts. A step can be there several times.
SELECT
    'placed' AS kind, arrayJoin(arrayDistinct(lines.seller_id)) AS seller_id, order_id, toUnixTimestamp64Milli(occurred_at) AS at_ms,
    ifNull(toUnixTimestamp64Milli(estimated_delivery_at), 0) AS promised, '' AS reason
FROM order_placed
UNION ALL
SELECT 'confirmed', arrayJoin(arrayDistinct(lines.seller_id)), order_id, toUnixTimestamp64Milli(occurred_at), 0, ''
FROM order_confirmed
UNION ALL
SELECT 'shipped', seller_id, order_id, toUnixTimestamp64Milli(occurred_at), 0, '' FROM order_shipped
UNION ALL
SELECT 'delivered', seller_id, order_id, toUnixTimestamp64Milli(occurred_at), 0, '' FROM order_delivered
UNION ALL
SELECT 'cancelled', arrayJoin(arrayDistinct(lines.seller_id)), order_id, toUnixTimestamp64Milli(occurred_at), 0, reason
FROM order_cancelled
