-- The shopper with the most orders on the last day on which anything was ordered.
SELECT shopper_id
FROM order_placed
WHERE occurred_at > (SELECT max(occurred_at) FROM order_placed) - INTERVAL 1 DAY
GROUP BY shopper_id
ORDER BY uniqExact(order_id) DESC, shopper_id
LIMIT 1
