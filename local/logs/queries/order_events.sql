-- Returns the events of an order in one fact table: id, when it happened, when its newest copy was inserted (Unix ms).
SELECT event_id, toUnixTimestamp64Milli(occurred_at) AS occurred_ms, toUnixTimestamp64Milli(max(ingested_at))
FROM {table:Identifier}
WHERE order_id = {order_id:String}
GROUP BY event_id, occurred_ms
