-- A cancellation of a sale. An order that was never confirmed was no sale.
SELECT
    toDateTime(toStartOfMinute(placed_at), 'UTC') AS minute,
    order_id,
    'cancelled' AS kind,
    currency,
    1 AS cancelled_orders,
    arraySum(lines.quantity) AS cancelled_units,
    arraySum(line -> line.quantity * line.unit_price_minor, lines) AS cancelled_gross_minor,
    arraySum(lines.discount_minor) AS cancelled_discount_minor,
    arraySum(lines.shipping_minor) AS cancelled_shipping_minor,
    cancelled_discount_minor - cancelled_gross_minor AS revenue_minor
FROM order_cancelled
WHERE confirmed_at IS NOT NULL
