-- A view of a page that showed a seller's offer.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    event_id,
    product_id,
    session_id,
    source,
    1 AS views
FROM product_viewed
WHERE product_viewed.seller_id IS NOT NULL
