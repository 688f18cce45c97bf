-- A cancellation of a sale: a row for each line. An order that was never confirmed was no sale.
SELECT
    line.seller_id AS seller_id,
    toDateTime(toStartOfMinute(placed_at), 'UTC') AS minute,
    order_id,
    'cancelled' AS kind,
    line.line_number AS line_number,
    line.product_id AS product_id,
    order_cancelled.shopper_id AS shopper_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS booked_minute,
    currency,
    indexOf(lines.seller_id, line.seller_id) = position AS cancelled_orders,
    indexOf(arrayZip(lines.seller_id, lines.product_id), (line.seller_id, line.product_id)) = position AS cancelled_orders_of_product,
    line.quantity AS cancelled_units,
    line.quantity * line.unit_price_minor AS cancelled_gross_minor,
    line.discount_minor AS cancelled_discount_minor,
    line.shipping_minor AS cancelled_shipping_minor,
    line.tax_minor AS cancelled_tax_minor,
    line.discount_minor - line.quantity * line.unit_price_minor AS revenue_minor,
    -intDiv(2 * line.commission_bp * greatest(-revenue_minor, 0) + 10000, 20000) AS commission_minor,
    if(isNull(line.line_voucher_id) AND isNull(line.order_voucher_id), 0, -line.discount_minor) AS voucher_minor,
    -ifNull(line.marketplace_minor, 0) AS marketplace_minor
FROM order_cancelled
ARRAY JOIN lines AS line, arrayEnumerate(lines) AS position
WHERE confirmed_at IS NOT NULL
