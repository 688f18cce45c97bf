-- Every step of an order takes its row first: steps of one order happen one after the other.
SELECT order_id, shopper_id, currency, status, payment_status, placed_at
FROM orders
WHERE order_id = $1::uuid
FOR UPDATE;
