-- When a session last saw a product. Redis keeps the latest moment of all, so neither order nor repeats matter.
SELECT session_id, product_id, unix_s(occurred_at) AS seen_s
FROM events.product_viewed
UNION ALL
SELECT session_id, product_id, unix_s(occurred_at)
FROM events.cart_changed
WHERE quantity > quantity_before
