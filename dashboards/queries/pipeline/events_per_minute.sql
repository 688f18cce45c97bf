-- Events by the minute in which they reached their table; a duplicate counts until a merge.
SELECT
    toStartOfMinute(ingested_at) AS time,
    {event:String} AS event,
    count() AS events
FROM {event_table:Identifier}
WHERE ingested_at >= {period_start:DateTime('UTC')}
    AND ingested_at < {period_end:DateTime('UTC')}
GROUP BY time
