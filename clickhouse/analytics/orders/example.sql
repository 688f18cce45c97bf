-- How many orders were placed each month, and what are they worth now?
SELECT toStartOfMonth(placed_at) AS month, currency, count() AS orders, sum(total) AS total, sum(net_sales) AS net_sales
FROM analytics.orders
GROUP BY month, currency
ORDER BY month, currency
