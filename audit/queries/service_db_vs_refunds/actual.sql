-- Completed refunds, from the events.
SELECT
    refund_id,
    payment_id,
    order_id,
    shopper_id,
    toString(currency) AS currency,
    toString(reason) AS reason,
    return_id,
    amount_minor
FROM payment_refunded FINAL
WHERE match(order_id, {own_order:String})
