-- A view of an offer whose seller is known.
SELECT assumeNotNull(product_viewed.seller_id) AS seller_id, session_id, occurred_at AS at, 1 AS step, event_id, '' AS order_id
FROM product_viewed
WHERE product_viewed.seller_id IS NOT NULL
