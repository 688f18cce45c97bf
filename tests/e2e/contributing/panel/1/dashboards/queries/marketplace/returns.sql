-- Returns of each bucket, by reason.
SELECT
    toDateTime(dateTrunc({grain:String}, occurred_at, {timezone:String}), {timezone:String}) AS time,
    reason,
    count() AS returns
FROM order_returned FINAL
WHERE occurred_at >= {period_start:DateTime('UTC')} AND occurred_at < {period_end:DateTime('UTC')}
GROUP BY time, reason
ORDER BY time
