-- A list: a row for each of its products whose seller is known.
SELECT
    assumeNotNull(item.seller_id) AS seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    recommendation_id,
    item.position AS position,
    item.product_id AS product_id,
    surface,
    strategy,
    1 AS impressions
FROM recommendation_shown
ARRAY JOIN items AS item
WHERE item.seller_id IS NOT NULL
