-- What every confirmation says of its order. Confirmations from before these fields take them from `order_placed`.
SELECT
    order_id,
    shopper_id,
    toString(confirmed_at) AS confirmed_at,
    toString(if(is_earlier, placed.placed_at, confirmed.placed_at)) AS placed_at,
    toString(if(is_earlier, placed.currency, confirmed.currency)) AS currency,
    arrayStringConcat(arrayMap(line -> concatWithSeparator(' ', toString(line.line_number), line.product_id,
        line.seller_id, toString(line.quantity), toString(line.unit_price_minor), toString(line.discount_minor),
        toString(line.shipping_minor), toString(line.tax_minor), toString(line.commission_bp),
        toString(ifNull(line.marketplace_minor, 0)), ifNull(line.line_voucher_id, '-'), ifNull(line.order_voucher_id, '-')), if(is_earlier, placed.lines, confirmed.lines)), ', ') AS lines
FROM
(
    SELECT order_id, shopper_id, occurred_at AS confirmed_at, isNull(placed_at) AS is_earlier, placed_at, currency, lines
    FROM order_confirmed FINAL
    WHERE match(order_id, {own_order:String})
) AS confirmed
LEFT JOIN
(
    SELECT order_id, occurred_at AS placed_at, currency, lines
    FROM order_placed FINAL
    WHERE order_id IN (
        SELECT order_id FROM order_confirmed WHERE isNull(placed_at) AND match(order_id, {own_order:String})
    )
) AS placed USING (order_id)
