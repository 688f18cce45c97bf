-- Every transaction about an order locks its row first, so that transactions of one order run one after the other.
SELECT order_id, shopper_id, currency, status, payment_status, placed_at, has_returns
FROM orders
WHERE order_id = $1::uuid AND ($2::text[] IS NULL OR shopper_id = ANY ($2::text[]))
FOR UPDATE;
