-- What share of visits leads to an order, by week?
SELECT toStartOfWeek(started_at, 1) AS week, count() AS visits, round(countIf(orders > 0) / visits, 4) AS conversion
FROM analytics.sessions
GROUP BY week
ORDER BY week
