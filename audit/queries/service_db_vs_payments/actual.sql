-- Every payment with an outcome, from the events. A failure that was retried does not count.
SELECT payment_id, order_id, shopper_id, method, currency, state, amount_minor
FROM
(
    SELECT payment_id, order_id, shopper_id, toString(method) AS method, toString(currency) AS currency,
        'captured' AS state, amount_minor
    FROM payment_captured FINAL
    UNION ALL
    SELECT payment_id, order_id, shopper_id, toString(method), toString(currency), 'failed', amount_minor
    FROM payment_failed FINAL
    WHERE final
)
WHERE match(order_id, {own_order:String})
