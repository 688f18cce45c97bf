-- Which products brought in most in the last 90 days?
SELECT product_id, currency, sum(quantity) AS units, sum(revenue) AS revenue
FROM analytics.order_lines
WHERE placed_at >= now() - INTERVAL 90 DAY
GROUP BY product_id, currency
ORDER BY revenue DESC
LIMIT 10
