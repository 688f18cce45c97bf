-- Every recommended item with a seller, and every listing and delisting of an offer, from the facts.
SELECT
    'shown' AS kind, assumeNotNull(item.seller_id) AS seller_id, item.product_id AS product_id, '' AS event_id,
    toUnixTimestamp64Milli(occurred_at) AS at_ms
FROM (SELECT * FROM recommendation_shown FINAL ORDER BY occurred_at, event_id LIMIT 1 BY event_id) AS shown
ARRAY JOIN shown.items AS item
WHERE item.seller_id IS NOT NULL
UNION ALL
SELECT 'listed', seller_id, product_id, event_id, toUnixTimestamp64Milli(occurred_at) FROM product_listed FINAL
UNION ALL
SELECT 'listed', seller_id, product_id, event_id, toUnixTimestamp64Milli(occurred_at) FROM product_changed FINAL
UNION ALL
SELECT 'delisted', seller_id, product_id, event_id, toUnixTimestamp64Milli(occurred_at) FROM product_delisted FINAL
