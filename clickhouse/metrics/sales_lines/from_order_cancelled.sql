-- A cancellation of a sale: the same rows again. An order that was never confirmed was no sale.
SELECT
    line.seller_id AS seller_id,
    toDateTime(toStartOfMinute(placed_at), 'UTC') AS minute,
    order_id,
    'cancelled' AS kind,
    line.line_number AS line_number,
    line.product_id AS product_id,
    currency,
    indexOf(lines.seller_id, line.seller_id) = position AS is_first_of_seller,
    indexOf(arrayZip(lines.seller_id, lines.product_id), (line.seller_id, line.product_id)) = position AS is_first_of_product,
    line.quantity AS quantity,
    line.quantity * line.unit_price_minor AS amount_minor,
    line.discount_minor AS discount_amount_minor,
    line.shipping_minor AS shipping_amount_minor
FROM order_cancelled
ARRAY JOIN lines AS line, arrayEnumerate(lines) AS position
WHERE confirmed_at IS NOT NULL
