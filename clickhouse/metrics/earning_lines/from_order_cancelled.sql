-- A cancellation of a sale, at its own minute: a row for each line takes off what the sale added. An order that was never confirmed was no sale.
SELECT
    line.seller_id AS seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    order_id,
    'cancelled' AS kind,
    line.line_number AS line_number,
    line.product_id AS product_id,
    toDateTime(toStartOfMinute(placed_at), 'UTC') AS placed_minute,
    -line.quantity AS units,
    currency,
    line.quantity * line.unit_price_minor - line.discount_minor AS cancelled_minor,
    line.shipping_minor AS cancelled_shipping_minor,
    -intDiv(2 * line.commission_bp * greatest(cancelled_minor, 0) + 10000, 20000) AS commission_minor,
    -cancelled_minor - cancelled_shipping_minor - commission_minor AS earned_minor
FROM order_cancelled
ARRAY JOIN lines AS line
WHERE confirmed_at IS NOT NULL
