-- The captured and refunded amount of each payment, from the service.
SELECT
    payment_id::text AS payment_id,
    currency,
    amount_minor AS captured_minor,
    coalesce((
        SELECT sum(refunds.amount_minor)
        FROM payments.refunds
        WHERE refunds.order_id = payments.order_id AND refunds.try_at IS NULL
    ), 0)::bigint AS refunded_minor
FROM payments.payments
WHERE state = 'captured';
