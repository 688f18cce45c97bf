-- Units that are held for orders, of every product that was ever ordered, from the reservations.
SELECT product_id, seller_id, coalesce(sum(quantity) FILTER (WHERE state = 'held'), 0) AS reserved
FROM inventory.reservations
JOIN inventory.reserved_lines USING (order_id)
GROUP BY product_id, seller_id;
