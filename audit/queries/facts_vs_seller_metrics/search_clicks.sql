-- Every view of a seller's offer that names a search, every search, every addition to a cart, and every confirmed order with its session, from the facts.
SELECT
    'clicked' AS kind, assumeNotNull(seller_id) AS seller_id, event_id AS id, session_id, product_id, toUnixTimestamp64Milli(occurred_at) AS at_ms
FROM (SELECT * FROM product_viewed ORDER BY occurred_at, event_id LIMIT 1 BY event_id) AS viewed
WHERE viewed.seller_id IS NOT NULL AND viewed.search_id IS NOT NULL
UNION ALL
SELECT 'carted', seller_id, event_id, session_id, product_id, toUnixTimestamp64Milli(occurred_at)
FROM cart_changed
WHERE quantity > quantity_before
UNION ALL
SELECT 'ordered', line.seller_id, order_id, assumeNotNull(session_id), line.product_id, toUnixTimestamp64Milli(occurred_at)
FROM order_placed
ARRAY JOIN lines AS line
WHERE session_id IS NOT NULL
UNION ALL
SELECT 'confirmed', '', order_id, '', '', toInt64(0) FROM order_confirmed WHERE placed_at IS NOT NULL
