-- A sale: a row for each line of the confirmed order.
SELECT
    line.seller_id AS seller_id,
    toDateTime(toStartOfMinute(assumeNotNull(placed_at)), 'UTC') AS minute,
    order_id,
    'sold' AS kind,
    line.line_number AS line_number,
    line.product_id AS product_id,
    assumeNotNull(currency) AS currency,
    indexOf(lines.seller_id, line.seller_id) = position AS is_first_of_seller,
    indexOf(arrayZip(lines.seller_id, lines.product_id), (line.seller_id, line.product_id)) = position AS is_first_of_product,
    line.quantity AS quantity,
    line.quantity * line.unit_price_minor AS amount_minor,
    line.discount_minor AS discount_amount_minor,
    line.shipping_minor AS shipping_amount_minor
FROM order_confirmed
ARRAY JOIN lines AS line, arrayEnumerate(lines) AS position
WHERE placed_at IS NOT NULL
