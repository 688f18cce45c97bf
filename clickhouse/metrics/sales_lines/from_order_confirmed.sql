-- A sale: a row for each line of the confirmed order. The commission is rounded half up for each line.
SELECT
    line.seller_id AS seller_id,
    toDateTime(toStartOfMinute(assumeNotNull(placed_at)), 'UTC') AS minute,
    order_id,
    'sold' AS kind,
    line.line_number AS line_number,
    line.product_id AS product_id,
    order_confirmed.shopper_id AS shopper_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS booked_minute,
    assumeNotNull(currency) AS currency,
    indexOf(order_confirmed.lines.seller_id, line.seller_id) = position AS orders,
    indexOf(arrayZip(order_confirmed.lines.seller_id, order_confirmed.lines.product_id), (line.seller_id, line.product_id)) = position AS orders_of_product,
    1 AS lines,
    line.quantity AS units,
    line.quantity * line.unit_price_minor AS gross_minor,
    line.discount_minor AS discount_minor,
    line.shipping_minor AS shipping_minor,
    line.tax_minor AS tax_minor,
    line.quantity * line.unit_price_minor - line.discount_minor AS revenue_minor,
    intDiv(2 * line.commission_bp * greatest(revenue_minor, 0) + 10000, 20000) AS commission_minor,
    if(isNull(line.line_voucher_id) AND isNull(line.order_voucher_id), 0, line.discount_minor) AS voucher_minor,
    ifNull(line.marketplace_minor, 0) AS marketplace_minor
FROM order_confirmed
ARRAY JOIN order_confirmed.lines AS line, arrayEnumerate(order_confirmed.lines) AS position
WHERE placed_at IS NOT NULL
