-- The touches of products in visits and their weights: viewed 1, added to the cart 2, bought 3.
-- A visit is one UTC day of a session, because a session may last a month and the state of a visit must expire. The lines
-- of an order also are a visit.
SELECT CONCAT(session_id, ':', CAST(touched_s / 86400 AS STRING)) AS visit_id, product_id, weight, touched_s
FROM (
  SELECT session_id, product_id, 1 AS weight, unix_s(occurred_at) AS touched_s
  FROM events.product_viewed
  UNION ALL
  SELECT session_id, product_id, 2, unix_s(occurred_at)
  FROM events.cart_changed
  WHERE quantity > quantity_before
)
UNION ALL
SELECT CONCAT('order:', order_id), line.product_id, 3, unix_s(occurred_at)
FROM events.order_placed
CROSS JOIN UNNEST(lines) AS line
