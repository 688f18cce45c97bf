-- When a session last put a product into its cart or took it out.
SELECT session_id, product_id, changed_s FROM carts
