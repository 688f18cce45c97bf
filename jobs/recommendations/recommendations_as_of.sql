-- The time of the newest event of each kind that the job has read: views, cart changes and orders.
SELECT event, MAX(occurred_s) AS as_of
FROM (
  SELECT 'product_viewed' AS event, unix_s(occurred_at) AS occurred_s
  FROM events.product_viewed
  UNION ALL
  SELECT 'cart_changed', unix_s(occurred_at) FROM events.cart_changed
  UNION ALL
  SELECT 'order_placed', unix_s(occurred_at) FROM events.order_placed
)
GROUP BY event
