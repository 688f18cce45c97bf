-- Every page of search results, and every view of a seller's offer that names a search, from the facts.
SELECT
    'searched' AS kind, '' AS seller_id, search_id AS id, toUnixTimestamp64Milli(occurred_at) AS at_ms,
    toInt64(result_count) AS results, toInt64(length(product_ids)) AS products
FROM (SELECT * FROM search_performed ORDER BY occurred_at, event_id LIMIT 1 BY event_id)
UNION ALL
SELECT 'clicked', assumeNotNull(seller_id), event_id, toUnixTimestamp64Milli(occurred_at), 0, 0
FROM (SELECT * FROM product_viewed ORDER BY occurred_at, event_id LIMIT 1 BY event_id) AS viewed
WHERE viewed.seller_id IS NOT NULL AND viewed.search_id IS NOT NULL
