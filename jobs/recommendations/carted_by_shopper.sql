-- When a known shopper last put a product into a cart.
SELECT shopper_id, product_id, unix_s(occurred_at) AS added_s
FROM events.cart_changed
WHERE shopper_id IS NOT NULL AND quantity > quantity_before
