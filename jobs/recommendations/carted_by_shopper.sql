-- When a shopper who is signed in last added a product to a cart or removed it.
SELECT shopper_id, product_id, changed_s FROM carts WHERE shopper_id IS NOT NULL
