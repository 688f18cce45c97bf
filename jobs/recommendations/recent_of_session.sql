-- When a session last viewed a product or added it to the cart; not when the shop did, with a `reason`. Redis keeps the latest time, so the order and the
-- repetition of events do not matter.
SELECT session_id, product_id, unix_s(occurred_at) AS seen_s
FROM events.product_viewed
UNION ALL
SELECT session_id, product_id, unix_s(occurred_at)
FROM events.cart_changed
WHERE quantity > quantity_before AND reason IS NULL
