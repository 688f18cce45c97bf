-- Completed refunds.
SELECT
    refund_id::text AS refund_id,
    payment_id::text AS payment_id,
    order_id::text AS order_id,
    shopper_id,
    currency,
    reason,
    return_id,
    refunds.amount_minor
FROM payments.refunds
JOIN payments.payments USING (order_id)
WHERE refunds.try_at IS NULL;
