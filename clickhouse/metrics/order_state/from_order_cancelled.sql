-- The cancellation, which also says when the order was placed.
SELECT order_id, shopper_id, currency, placed_at, occurred_at AS cancelled_at, 'cancelled' AS status FROM order_cancelled
