-- Every order that the service placed, with the sums of its lines, its amount and its refunds.
SELECT
    order_id,
    shopper_id,
    toString(currency) AS currency,
    toString(occurred_at) AS placed_at,
    length(lines) AS line_count,
    arraySum(lines.quantity) AS units,
    arraySum(arrayMap((q, p) -> q * p, lines.quantity, lines.unit_price_minor)) AS gross_minor,
    gross_minor - arraySum(lines.discount_minor) - arraySum(x -> ifNull(x, 0), lines.marketplace_minor)
        + arraySum(lines.shipping_minor) + arraySum(lines.tax_minor) AS amount_minor,
    ifNull(refunds.refunded_minor, 0) AS refunded_minor
FROM order_placed FINAL
LEFT JOIN
(
    SELECT order_id, sum(amount_minor) AS refunded_minor FROM payment_refunded FINAL GROUP BY order_id
) AS refunds USING (order_id)
WHERE match(order_id, {own_order:String})
