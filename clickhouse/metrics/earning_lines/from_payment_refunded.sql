-- A refunded return of an order whose time is not known, at the minute of the refund: a row for each of its lines.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    order_id,
    'refunded' AS kind,
    assumeNotNull(return_id) AS reference_id,
    line.line_number AS line_number,
    line.product_id AS product_id,
    -line.quantity AS units,
    currency,
    line.refund_minor + ifNull(line.marketplace_minor, 0) AS refunded_minor,
    -refunded_minor AS earned_minor
FROM payment_refunded
ARRAY JOIN lines AS line
WHERE payment_refunded.return_id IS NOT NULL AND payment_refunded.seller_id IS NOT NULL AND payment_refunded.placed_at IS NULL
