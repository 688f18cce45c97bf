-- A view. It is a step if the seller is known.
SELECT
    session_id,
    occurred_at AS first_at,
    occurred_at AS last_at,
    [(toUnixTimestamp64Milli(occurred_at), toUInt8(product_viewed.seller_id IS NOT NULL), '', ifNull(product_viewed.seller_id, ''))] AS steps
FROM product_viewed
