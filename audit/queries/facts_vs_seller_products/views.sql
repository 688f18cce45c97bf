-- Every view of an offer whose listing changed, with its session, from the facts.
SELECT seller_id, product_id, session_id, toUnixTimestamp64Milli(occurred_at) AS at_ms
FROM product_viewed FINAL
WHERE seller_id IS NOT NULL AND session_id != '' AND (seller_id, product_id) IN (SELECT seller_id, product_id FROM product_changed)
