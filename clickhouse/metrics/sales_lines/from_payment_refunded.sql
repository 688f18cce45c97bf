-- A refunded return: a row for each of its lines. The seller gives back what the shopper and the marketplace had paid.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(assumeNotNull(placed_at)), 'UTC') AS minute,
    order_id,
    'returned' AS kind,
    assumeNotNull(return_id) AS return_id,
    line.line_number AS line_number,
    line.product_id AS product_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS booked_minute,
    currency,
    line.quantity AS returned_units,
    line.refund_minor + ifNull(line.marketplace_minor, 0) AS returned_minor,
    -returned_minor AS revenue_minor,
    -ifNull(line.marketplace_minor, 0) AS marketplace_minor
FROM payment_refunded
ARRAY JOIN lines AS line
WHERE return_id IS NOT NULL AND seller_id IS NOT NULL AND placed_at IS NOT NULL
