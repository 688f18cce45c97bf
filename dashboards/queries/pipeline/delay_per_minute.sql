-- Seconds from an event to its row, the 99th percentile of live events. Replayed history is left out.
SELECT
    toStartOfMinute(ingested_at) AS time,
    {event:String} AS event,
    quantile(0.99)(dateDiff('millisecond', occurred_at, ingested_at)) / 1000 AS delay_s
FROM {event_table:Identifier}
WHERE ingested_at >= {period_start:DateTime('UTC')}
    AND ingested_at < {period_end:DateTime('UTC')}
    AND occurred_at > ingested_at - INTERVAL 1 HOUR
GROUP BY time
