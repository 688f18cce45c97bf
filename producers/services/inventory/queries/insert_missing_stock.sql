-- Inserts a row for each product without stock, so that the row can be locked.
INSERT INTO stock (product_id, seller_id, on_hand, reserved, version)
SELECT product_id, seller_id, 0, 0, 0
FROM unnest($1::text[], $2::text[]) AS wanted (product_id, seller_id)
ORDER BY product_id, seller_id
ON CONFLICT DO NOTHING;
