SELECT payment_id, order_id, state, method, installments, currency, amount_minor, attempts, failure
FROM payments
WHERE order_id = $1::uuid;
