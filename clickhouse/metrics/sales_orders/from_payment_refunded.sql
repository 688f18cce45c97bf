-- A refunded return: one row, whatever the number of its lines.
SELECT
    toDateTime(toStartOfMinute(assumeNotNull(placed_at)), 'UTC') AS minute,
    order_id,
    'returned' AS kind,
    assumeNotNull(return_id) AS return_id,
    currency,
    arraySum(lines.quantity) AS returned_units,
    arraySum(line -> line.refund_minor + ifNull(line.marketplace_minor, 0), lines) AS returned_minor,
    -returned_minor AS revenue_minor
FROM payment_refunded
WHERE return_id IS NOT NULL AND seller_id IS NOT NULL AND placed_at IS NOT NULL
