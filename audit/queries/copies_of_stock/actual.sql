-- The same in the carts service.
SELECT product_id, seller_id, available, version
FROM carts.stock;
