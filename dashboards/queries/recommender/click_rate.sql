-- The share of the lists that came into view that were clicked, by strategy and by bucket of the shop's time zone.
SELECT
    toDateTime(dateTrunc({grain:String}, occurred_at, {timezone:String}), {timezone:String}) AS time,
    strategy,
    uniqExactIf(recommendation_id, recommendation_id IN (
        SELECT recommendation_id
        FROM recommendation_clicked
        WHERE occurred_at >= {period_start:DateTime('UTC')}
    )) / uniqExact(recommendation_id) AS click_share
FROM recommendation_shown
WHERE occurred_at >= {period_start:DateTime('UTC')}
    AND occurred_at < {period_end:DateTime('UTC')}
GROUP BY time, strategy
ORDER BY time, strategy
