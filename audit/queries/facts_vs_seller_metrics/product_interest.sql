-- Every view of a seller's offer, with its session, and every line of a confirmed order, from the facts.
SELECT
    'viewed' AS kind, seller_id, session_id AS id, toUnixTimestamp64Milli(occurred_at) AS at_ms, toInt64(0) AS units
FROM (SELECT * FROM product_viewed FINAL ORDER BY occurred_at, event_id LIMIT 1 BY event_id)
WHERE seller_id IS NOT NULL
UNION ALL
SELECT
    'sold', line.seller_id, order_id, toUnixTimestamp64Milli(assumeNotNull(placed_at)), toInt64(line.quantity)
FROM (SELECT * FROM order_confirmed FINAL WHERE placed_at IS NOT NULL ORDER BY occurred_at, event_id LIMIT 1 BY order_id) AS confirmed
ARRAY JOIN confirmed.lines AS line
WHERE currency = {currency:String}
