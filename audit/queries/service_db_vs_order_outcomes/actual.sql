-- How every order of the service was paid, and why it was cancelled, from the events. One that costs nothing has no payment. A refund of the whole amount makes
-- the payment `refunded`.
WITH
    payments AS
    (
        SELECT order_id, max(captured) AS was_captured, argMax(method, captured) AS method
        FROM
        (
            SELECT order_id, 1 AS captured, toString(method) AS method FROM payment_captured FINAL
            UNION ALL
            SELECT order_id, 0, toString(method) FROM payment_failed FINAL WHERE final
        )
        GROUP BY order_id
    ),
    refunds AS (SELECT order_id, sum(amount_minor) AS refunded_minor FROM payment_refunded FINAL GROUP BY order_id),
    cancellations AS (SELECT order_id, any(toString(reason)) AS reason FROM order_cancelled FINAL GROUP BY order_id)
SELECT
    order_id,
    multiIf(
        refunds.order_id != '' AND refunded_minor >= amount_minor, 'refunded',
        refunds.order_id != '' OR was_captured = 1, 'captured',
        payments.order_id != '', 'failed',
        'pending'
    ) AS payment_status,
    nullIf(payments.method, '') AS payment_method,
    nullIf(cancellations.reason, '') AS cancellation_reason
FROM
(
    SELECT
        order_id,
        arraySum(
            line -> line.quantity * line.unit_price_minor - line.discount_minor - ifNull(line.marketplace_minor, 0)
                + line.shipping_minor + line.tax_minor,
            lines
        ) AS amount_minor
    FROM order_placed FINAL
    WHERE match(order_id, {own_order:String})
) AS placed
LEFT JOIN payments USING (order_id)
LEFT JOIN refunds USING (order_id)
LEFT JOIN cancellations USING (order_id)
