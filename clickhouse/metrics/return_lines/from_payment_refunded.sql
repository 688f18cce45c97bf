-- A refunded return: a row for each of its lines, at the minute of the refund.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    order_id,
    'refunded' AS kind,
    assumeNotNull(return_id) AS return_id,
    line.line_number AS line_number,
    line.product_id AS product_id,
    currency,
    position = 1 AS refunds,
    indexOf(lines.product_id, line.product_id) = position AS refunds_of_product,
    line.quantity AS refunded_units,
    line.refund_minor AS refunded_minor
FROM payment_refunded
ARRAY JOIN lines AS line, arrayEnumerate(lines) AS position
WHERE payment_refunded.return_id IS NOT NULL AND payment_refunded.seller_id IS NOT NULL
