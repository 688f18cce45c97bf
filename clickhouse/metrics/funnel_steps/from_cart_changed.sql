-- An addition to the cart.
SELECT seller_id, session_id, occurred_at AS at, 2 AS step, event_id, '' AS order_id
FROM cart_changed
WHERE quantity > quantity_before
