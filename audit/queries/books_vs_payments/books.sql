-- Every payment that has an outcome which was told: taken, or failed for good.
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
