-- Returns the sellers of a confirmed order, and when it was confirmed (Unix ms).
SELECT arrayJoin(lines.seller_id) AS seller_id, toUnixTimestamp64Milli(any(occurred_at))
FROM order_confirmed
WHERE order_id = {order_id:String}
GROUP BY seller_id
ORDER BY seller_id
