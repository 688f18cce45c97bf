-- The registered shopper with the most orders on the last day on which one of them ordered.
WITH registered AS (
    -- A guest is none: their id is that of a browser's session, which belongs to somebody. Nor is who was erased.
    SELECT shopper_id FROM shopper_registered WHERE shopper_id NOT IN (SELECT shopper_id FROM shopper_erased)
), orders AS (
    SELECT shopper_id, order_id, occurred_at FROM order_placed WHERE shopper_id IN (SELECT shopper_id FROM registered)
)
SELECT shopper_id
FROM orders
WHERE occurred_at > (SELECT max(occurred_at) FROM orders) - INTERVAL 1 DAY
GROUP BY shopper_id
ORDER BY uniqExact(order_id) DESC, shopper_id
LIMIT 1
