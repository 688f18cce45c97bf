-- When a session last put a product into its cart.
SELECT session_id, product_id, unix_s(occurred_at) AS added_s
FROM events.cart_changed
WHERE quantity > quantity_before
