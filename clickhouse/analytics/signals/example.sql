-- Which sellers had the most signals in the last 30 days?
SELECT seller_id, count() AS signals, groupUniqArray(kind) AS kinds
FROM analytics.signals
WHERE raised_at >= now() - INTERVAL 30 DAY
GROUP BY seller_id
ORDER BY signals DESC, seller_id
LIMIT 10
