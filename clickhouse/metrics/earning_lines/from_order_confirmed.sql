-- A sale, at the minute of its confirmation: a row for each line. The commission is rounded half up for each line.
SELECT
    line.seller_id AS seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    order_id,
    'sold' AS kind,
    line.line_number AS line_number,
    line.product_id AS product_id,
    toDateTime(toStartOfMinute(assumeNotNull(placed_at)), 'UTC') AS placed_minute,
    line.quantity AS units,
    assumeNotNull(currency) AS currency,
    line.quantity * line.unit_price_minor - line.discount_minor AS sold_minor,
    line.shipping_minor AS shipping_minor,
    intDiv(2 * line.commission_bp * greatest(sold_minor, 0) + 10000, 20000) AS commission_minor,
    sold_minor + shipping_minor - commission_minor AS earned_minor
FROM order_confirmed
ARRAY JOIN order_confirmed.lines AS line
WHERE placed_at IS NOT NULL
