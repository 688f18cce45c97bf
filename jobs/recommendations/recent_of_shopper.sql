-- When a known shopper last saw a product, in whichever session.
SELECT shopper_id, product_id, unix_s(occurred_at) AS seen_s
FROM events.product_viewed
WHERE shopper_id IS NOT NULL
UNION ALL
SELECT shopper_id, product_id, unix_s(occurred_at)
FROM events.cart_changed
WHERE shopper_id IS NOT NULL AND quantity > quantity_before
