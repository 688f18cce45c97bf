-- Every line that was sold or cancelled after its confirmation, from the facts.
SELECT
    'sold' AS kind, line.seller_id AS seller_id, order_id, line.product_id AS product_id,
    toUnixTimestamp64Milli(assumeNotNull(placed_at)) AS at_ms, toInt64(line.quantity) AS units,
    toInt64(line.quantity * line.unit_price_minor - line.discount_minor) AS net
FROM (SELECT * FROM order_confirmed FINAL WHERE placed_at IS NOT NULL ORDER BY occurred_at, event_id LIMIT 1 BY order_id) AS confirmed
ARRAY JOIN confirmed.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'cancelled', line.seller_id, order_id, line.product_id,
    toUnixTimestamp64Milli(placed_at), toInt64(line.quantity), toInt64(line.quantity * line.unit_price_minor - line.discount_minor)
FROM (SELECT * FROM order_cancelled FINAL WHERE confirmed_at IS NOT NULL ORDER BY occurred_at, event_id LIMIT 1 BY order_id) AS cancelled
ARRAY JOIN cancelled.lines AS line
WHERE currency = {currency:String}
