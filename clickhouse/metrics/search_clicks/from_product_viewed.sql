-- A view to which a search led.
SELECT
    assumeNotNull(seller_id) AS seller_id,
    toDateTime(toStartOfMinute(occurred_at), 'UTC') AS minute,
    event_id,
    occurred_at AS clicked_at,
    assumeNotNull(search_id) AS search_id,
    session_id,
    product_id,
    1 AS clicks
FROM product_viewed
WHERE product_viewed.seller_id IS NOT NULL AND product_viewed.search_id IS NOT NULL
