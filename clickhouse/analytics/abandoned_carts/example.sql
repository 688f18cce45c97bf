-- How much is left in carts that nobody returns to, by week?
SELECT toStartOfWeek(abandoned_at, 1) AS week, currency, uniqExact(cart_id) AS carts, sum(amount) AS amount_left
FROM analytics.abandoned_carts
GROUP BY week, currency
ORDER BY week, currency
