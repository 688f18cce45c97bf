-- Locks the rows in the order of the keys, as every transaction does, which avoids deadlocks.
SELECT stock.product_id, stock.seller_id, stock.on_hand, stock.reserved, stock.version
FROM stock
JOIN unnest($1::text[], $2::text[]) AS wanted (product_id, seller_id) USING (product_id, seller_id)
ORDER BY stock.product_id, stock.seller_id
FOR UPDATE OF stock;
