-- When a known shopper last put a product into a cart.
SELECT shopper_id, product_id, TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(0, 0), occurred_at) AS added_s
FROM events.cart_changed
WHERE shopper_id IS NOT NULL AND quantity > quantity_before
