-- Units that are held for orders, by product and seller.
SELECT product_id, seller_id, sum(quantity) AS reserved
FROM inventory.reservations
JOIN inventory.reserved_lines USING (order_id)
WHERE state = 'held'
GROUP BY product_id, seller_id;
