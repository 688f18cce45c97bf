-- Completed refunds, and what came back, from the events.
SELECT
    refund_id,
    payment_id,
    order_id,
    shopper_id,
    toString(currency) AS currency,
    toString(reason) AS reason,
    return_id,
    amount_minor,
    seller_id,
    toString(placed_at) AS placed_at,
    arrayStringConcat(arrayMap(line -> concatWithSeparator(' ', toString(line.line_number), line.product_id,
        toString(line.quantity), toString(line.refund_minor), toString(ifNull(line.marketplace_minor, 0))), lines), ', ') AS lines
FROM payment_refunded FINAL
WHERE match(order_id, {own_order:String})
