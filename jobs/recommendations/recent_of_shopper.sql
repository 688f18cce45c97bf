-- When a shopper who is signed in last viewed a product or added it to the cart, in any session.
SELECT shopper_id, product_id, unix_s(occurred_at) AS seen_s
FROM events.product_viewed
WHERE shopper_id IS NOT NULL
UNION ALL
SELECT shopper_id, product_id, unix_s(occurred_at)
FROM events.cart_changed
WHERE shopper_id IS NOT NULL AND quantity > quantity_before AND reason IS NULL
