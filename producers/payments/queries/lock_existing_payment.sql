SELECT order_id, payment_id, shopper_id, method, installments, currency, amount_minor, reserved, cancelled,
    state, attempts
FROM payments
WHERE order_id = $1::uuid
FOR UPDATE;
