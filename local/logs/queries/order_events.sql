-- Returns the events of an order that are in the fact tables whose names match a regular expression.
SELECT _table AS event, event_id, toUnixTimestamp64Milli(occurred_at) AS occurred_ms,
    toUnixTimestamp64Milli(max(ingested_at)) AS ingested_ms
FROM merge(currentDatabase(), {tables:String})
WHERE order_id = {order_id:String}
GROUP BY event, event_id, occurred_ms
ORDER BY occurred_ms, event
