-- Clicks by the position in the list, from 1, to see how much the place counts.
SELECT
    toString(position) AS place,
    uniqExact(event_id) AS clicks
FROM recommendation_clicked
WHERE occurred_at >= {period_start:DateTime('UTC')}
    AND occurred_at < {period_end:DateTime('UTC')}
GROUP BY position
ORDER BY position
LIMIT 20
