-- The state of each order's units, from inventory, which must have every order.
SELECT
    order_id::text AS order_id,
    CASE WHEN state IN ('held', 'sold') THEN state ELSE 'free' END AS units_are,
    coalesce(sum(quantity) FILTER (WHERE state IN ('held', 'sold')), 0) AS units
FROM inventory.reservations
LEFT JOIN inventory.reserved_lines USING (order_id)
GROUP BY order_id, state;
