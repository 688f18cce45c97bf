-- Every order that the service placed, with the sums of its lines and what they come to.
SELECT
    order_id,
    shopper_id,
    toString(currency) AS currency,
    toString(occurred_at) AS placed_at,
    length(lines) AS line_count,
    arraySum(lines.quantity) AS units,
    arraySum(arrayMap((q, p) -> q * p, lines.quantity, lines.unit_price_minor)) AS gross_minor,
    gross_minor - arraySum(lines.discount_minor) + arraySum(lines.shipping_minor) + arraySum(lines.tax_minor)
        AS amount_minor
FROM order_placed FINAL
WHERE match(order_id, {own_order:String})
