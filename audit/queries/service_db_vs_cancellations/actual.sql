-- What every cancellation says of its order. Cancellations from before the field `confirmed_at` take it from the
-- confirmation, which is from before its field `placed_at` then.
SELECT
    order_id,
    shopper_id,
    toString(reason) AS reason,
    toString(occurred_at) AS cancelled_at,
    toString(placed_at) AS placed_at,
    toString(ifNull(confirmed_at, earlier.occurred_at)) AS confirmed_at,
    toString(currency) AS currency,
    arrayStringConcat(arrayMap(line -> concatWithSeparator(' ', toString(line.line_number), line.product_id,
        line.seller_id, toString(line.quantity), toString(line.unit_price_minor), toString(line.discount_minor),
        toString(line.shipping_minor), toString(line.tax_minor), toString(line.commission_bp),
        toString(ifNull(line.marketplace_minor, 0)), ifNull(line.line_voucher_id, '-'), ifNull(line.order_voucher_id, '-')), lines), ', ') AS lines
FROM
(
    SELECT order_id, shopper_id, reason, occurred_at, placed_at, confirmed_at, currency, lines
    FROM order_cancelled FINAL
    WHERE match(order_id, {own_order:String})
) AS cancelled
LEFT JOIN
(
    SELECT order_id, toNullable(occurred_at) AS occurred_at
    FROM order_confirmed FINAL
    WHERE isNull(placed_at) AND match(order_id, {own_order:String})
) AS earlier USING (order_id)
