-- Which products brought in most in the last 90 days?
SELECT product_id, currency, sum(quantity) AS units, sum(net_sales) AS net_sales
FROM analytics.order_lines
WHERE placed_at >= now() - INTERVAL 90 DAY
GROUP BY product_id, currency
ORDER BY net_sales DESC
LIMIT 10
