-- An addition to the cart by the shopper: carts that are merged, and orders that come to nothing, add nothing new.
SELECT seller_id, session_id, occurred_at AS at, 2 AS step, event_id, '' AS order_id
FROM cart_changed
WHERE quantity > quantity_before AND reason IS NULL
