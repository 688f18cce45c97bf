-- A sale: one row, whatever the number of its lines.
SELECT
    toDateTime(toStartOfMinute(assumeNotNull(placed_at)), 'UTC') AS minute,
    order_id,
    'sold' AS kind,
    assumeNotNull(currency) AS currency,
    1 AS orders,
    length(order_confirmed.lines) AS lines,
    arraySum(order_confirmed.lines.quantity) AS units,
    arraySum(line -> line.quantity * line.unit_price_minor, order_confirmed.lines) AS gross_minor,
    arraySum(order_confirmed.lines.discount_minor) AS discount_minor,
    arraySum(order_confirmed.lines.shipping_minor) AS shipping_minor,
    gross_minor - discount_minor AS revenue_minor
FROM order_confirmed
WHERE placed_at IS NOT NULL
