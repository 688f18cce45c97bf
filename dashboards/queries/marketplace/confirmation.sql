-- Seconds from an order to its confirmation: the median and the 99th percentile.
SELECT
    toStartOfInterval(assumeNotNull(placed_at), toIntervalSecond({interval_s:UInt32})) AS time,
    quantile(0.5)(dateDiff('millisecond', placed_at, confirmed_at)) / 1000 AS half_s,
    quantile(0.99)(dateDiff('millisecond', placed_at, confirmed_at)) / 1000 AS most_s
FROM order_state
WHERE confirmed_at IS NOT NULL
    AND placed_at >= {period_start:DateTime('UTC')}
    AND placed_at < {period_end:DateTime('UTC')}
GROUP BY time
ORDER BY time
