-- Every event that belongs to a visit, with the seller whom it is about, and every confirmed order, from the facts. An event can be there several times.
SELECT 'view' AS kind, session_id, ifNull(seller_id, '') AS seller_id, toUnixTimestamp64Milli(occurred_at) AS at_ms, '' AS order_id
FROM product_viewed
UNION ALL
SELECT 'cart', session_id, seller_id, toUnixTimestamp64Milli(occurred_at), ''
FROM cart_changed
WHERE quantity > quantity_before
UNION ALL
SELECT 'other', session_id, '', toUnixTimestamp64Milli(occurred_at), '' FROM search_performed
UNION ALL
SELECT 'other', session_id, '', toUnixTimestamp64Milli(occurred_at), '' FROM recommendation_clicked
UNION ALL
SELECT
    'order', assumeNotNull(session_id), arrayJoin(emptyArrayToSingle(lines.seller_id)), toUnixTimestamp64Milli(occurred_at), order_id
FROM order_placed
WHERE session_id IS NOT NULL
UNION ALL
SELECT 'confirmed', '', '', toInt64(0), order_id FROM order_confirmed WHERE placed_at IS NOT NULL
