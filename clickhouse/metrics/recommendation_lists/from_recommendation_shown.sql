-- A list: how many of its products have a known seller.
SELECT
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    recommendation_id,
    arrayCount(item -> item.seller_id IS NOT NULL, items) AS impressions
FROM recommendation_shown
