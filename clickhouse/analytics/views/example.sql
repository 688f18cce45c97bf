-- Which products are looked at most, and from where?
SELECT product_id, count() AS views, countIf(source = 'search') AS from_search, countIf(source = 'recommendation') AS from_recommendations
FROM analytics.views
WHERE viewed_at >= now() - INTERVAL 30 DAY
GROUP BY product_id
ORDER BY views DESC
LIMIT 10
