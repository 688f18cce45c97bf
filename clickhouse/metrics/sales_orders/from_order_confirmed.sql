-- A sale: one row, whatever the number of its lines.
SELECT
    toDateTime(toStartOfMinute(assumeNotNull(placed_at)), 'UTC') AS minute,
    order_id,
    'sold' AS kind,
    assumeNotNull(currency) AS currency,
    length(lines) AS number_of_lines,
    arraySum(lines.quantity) AS quantity,
    arraySum(line -> line.quantity * line.unit_price_minor, lines) AS amount_minor,
    arraySum(lines.discount_minor) AS discount_amount_minor,
    arraySum(lines.shipping_minor) AS shipping_amount_minor
FROM order_confirmed
WHERE placed_at IS NOT NULL
