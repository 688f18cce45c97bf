-- Recommendation lists that came into view, by strategy and by bucket of the shop's time zone.
SELECT
    toDateTime(dateTrunc({grain:String}, occurred_at, {timezone:String}), {timezone:String}) AS time,
    strategy,
    uniqExact(recommendation_id) AS lists
FROM recommendation_shown
WHERE occurred_at >= {period_start:DateTime('UTC')}
    AND occurred_at < {period_end:DateTime('UTC')}
GROUP BY time, strategy
ORDER BY time, strategy
