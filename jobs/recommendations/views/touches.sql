-- The touches of products in visits and their weights: viewed 1, added to the cart by the shopper 2, bought 3.
-- A visit is one UTC day of a visitor: a shopper who is signed in, else a session. It is a day because a session may last a
-- month and the state of a visit must expire, and a shopper's because somebody may open any number of sessions. All that a
-- shopper orders on a day also is a visit. Whatever a robot or a seller's friend does, each adds two visits a day at most.
SELECT CONCAT(COALESCE(shopper_id, session_id), ':', CAST(touched_s / 86400 AS STRING)) AS visit_id, product_id, weight, touched_s
FROM (
  SELECT session_id, shopper_id, product_id, 1 AS weight, unix_s(occurred_at) AS touched_s
  FROM events.product_viewed
  UNION ALL
  SELECT session_id, shopper_id, product_id, 2, unix_s(occurred_at)
  FROM events.cart_changed
  WHERE quantity > quantity_before AND reason IS NULL
)
UNION ALL
SELECT CONCAT('order:', shopper_id, ':', CAST(touched_s / 86400 AS STRING)), product_id, 3, touched_s
FROM (
  SELECT shopper_id, line.product_id AS product_id, unix_s(occurred_at) AS touched_s
  FROM events.order_placed
  CROSS JOIN UNNEST(lines) AS line
) AS ordered
