-- Returns the events of some orders in one fact table, and when the newest copy of each was inserted (Unix ms).
SELECT order_id, event_id, toUnixTimestamp64Milli(max(ingested_at))
FROM {table:Identifier}
WHERE order_id IN {order_ids:Array(String)}
GROUP BY order_id, event_id
