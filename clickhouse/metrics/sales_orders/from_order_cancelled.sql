-- A cancellation of a sale. An order that was never confirmed was no sale.
SELECT
    toDateTime(toStartOfMinute(placed_at), 'UTC') AS minute,
    order_id,
    'cancelled' AS kind,
    currency,
    length(lines) AS number_of_lines,
    arraySum(lines.quantity) AS quantity,
    arraySum(line -> line.quantity * line.unit_price_minor, lines) AS amount_minor,
    arraySum(lines.discount_minor) AS discount_amount_minor,
    arraySum(lines.shipping_minor) AS shipping_amount_minor
FROM order_cancelled
WHERE confirmed_at IS NOT NULL
