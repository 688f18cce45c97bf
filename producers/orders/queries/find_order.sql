SELECT order_id, shopper_id, currency, status, cancellation_reason, amount_minor, payment_method, payment_status,
    placed_at
FROM orders
WHERE order_id = $1::uuid;
