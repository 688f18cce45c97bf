-- Every recommended item with a seller, every click on one, and every line of a confirmed order, from the facts.
SELECT
    'shown' AS kind, assumeNotNull(item.seller_id) AS seller_id, recommendation_id AS id, item.product_id AS product_id, '' AS shopper_id,
    toUnixTimestamp64Milli(occurred_at) AS at_ms, toInt64(0) AS amount
FROM (SELECT * FROM recommendation_shown FINAL ORDER BY occurred_at, event_id LIMIT 1 BY event_id) AS shown
ARRAY JOIN shown.items AS item
WHERE item.seller_id IS NOT NULL
UNION ALL
SELECT 'clicked', '', recommendation_id, product_id, ifNull(shopper_id, ''), toUnixTimestamp64Milli(occurred_at), 0
FROM recommendation_clicked
UNION ALL
SELECT
    'bought', line.seller_id, order_id, line.product_id, shopper_id, toUnixTimestamp64Milli(assumeNotNull(placed_at)),
    toInt64(line.quantity * line.unit_price_minor - line.discount_minor)
FROM (SELECT * FROM order_confirmed FINAL WHERE placed_at IS NOT NULL ORDER BY occurred_at, event_id LIMIT 1 BY order_id) AS confirmed
ARRAY JOIN confirmed.lines AS line
WHERE currency = {currency:String}
