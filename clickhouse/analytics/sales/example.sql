-- What are gross and net sales of each month?
SELECT toStartOfMonth(placed_at) AS month, currency, sum(gross) AS gross, sum(net_sales) AS net_sales
FROM analytics.sales
GROUP BY month, currency
ORDER BY month, currency
