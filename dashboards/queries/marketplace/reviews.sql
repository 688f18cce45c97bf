-- The number of reviews and their average score, by bucket of the shop's time zone.
SELECT
    toDateTime(dateTrunc({grain:String}, occurred_at, {timezone:String}), {timezone:String}) AS time,
    count() AS review_count,
    avg(score) AS average_score
FROM review_submitted FINAL
WHERE occurred_at >= {period_start:DateTime('UTC')}
    AND occurred_at < {period_end:DateTime('UTC')}
GROUP BY time
ORDER BY time
