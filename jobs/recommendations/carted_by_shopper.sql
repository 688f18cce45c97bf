-- When a known shopper last put a product into a cart or took it out.
SELECT shopper_id, product_id, changed_s FROM carts WHERE shopper_id IS NOT NULL
