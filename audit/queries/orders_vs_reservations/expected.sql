-- The state that each order's units must have: sold if it is confirmed, free if it is cancelled.
SELECT
    order_id::text AS order_id,
    CASE status WHEN 'placed' THEN 'held' WHEN 'cancelled' THEN 'free' ELSE 'sold' END AS units_are,
    CASE WHEN status = 'cancelled' THEN 0 ELSE sum(quantity) END AS units
FROM orders.orders
JOIN orders.order_lines USING (order_id)
GROUP BY order_id, status;
