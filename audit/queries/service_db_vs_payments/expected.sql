-- Every payment with an outcome: captured, or failed without a further attempt.
SELECT
    payment_id::text AS payment_id,
    order_id::text AS order_id,
    shopper_id,
    method,
    currency,
    state,
    amount_minor
FROM payments.payments
WHERE state IN ('captured', 'failed');
