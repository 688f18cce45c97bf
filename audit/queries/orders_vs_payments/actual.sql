-- The captured amount of each order, less its refunds because of a cancellation, from payments.
SELECT
    order_id::text AS order_id,
    currency,
    (CASE WHEN state = 'captured' THEN amount_minor ELSE 0 END - coalesce((
        SELECT sum(refunds.amount_minor)
        FROM payments.refunds
        WHERE refunds.order_id = payments.order_id AND reason = 'order_cancelled'
    ), 0))::bigint AS kept_minor
FROM payments.payments;
