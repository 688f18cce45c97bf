-- When a session last added a product to its cart or removed it.
SELECT session_id, product_id, changed_s FROM carts
