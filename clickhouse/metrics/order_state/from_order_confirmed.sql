-- The confirmation.
SELECT order_id, shopper_id, occurred_at AS confirmed_at, 'confirmed' AS status FROM order_confirmed
