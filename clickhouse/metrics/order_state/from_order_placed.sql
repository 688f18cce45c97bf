-- The order and its placing.
SELECT order_id, shopper_id, currency, occurred_at AS placed_at, 'placed' AS status FROM order_placed
