-- Which products are in the most carts that were left?
SELECT product_id, uniqExact(cart_id) AS carts, count() AS times, max(abandoned_at) AS last_at
FROM analytics.abandoned_carts
GROUP BY product_id
ORDER BY carts DESC
LIMIT 10
