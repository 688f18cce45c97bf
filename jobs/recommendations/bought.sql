-- When a shopper last bought a product in an order that was not cancelled (Unix seconds), and half a second more once
-- the order is confirmed, which is after the payment; 0 if all orders were cancelled.
-- The row is set to 0 and not deleted: after a restart that reads the cancellation first, Flink would not send a deletion.
SELECT /*+ STATE_TTL('orders' = '90 d') */
  shopper_id, product_id, MAX(CASE WHEN cancelled = 1 THEN 0e0 ELSE placed_s + 0.5e0 * confirmed END) AS bought_s
FROM (
  SELECT /*+ STATE_TTL('steps' = '90 d') */
    order_id, shopper_id, product_id, MAX(placed_s) AS placed_s, MAX(confirmed) AS confirmed, MAX(cancelled) AS cancelled
  FROM (
    SELECT order_id, shopper_id, line.product_id, 0 AS confirmed, 0 AS cancelled,
      unix_s(occurred_at) AS placed_s
    FROM events.order_placed
    CROSS JOIN UNNEST(lines) AS line
    UNION ALL
    -- Events from before the fields have neither a time nor lines.
    SELECT order_id, shopper_id, line.product_id, 1, 0,
      unix_s(COALESCE(placed_at, CAST(occurred_at AS TIMESTAMP_LTZ(3))))
    FROM events.order_confirmed
    CROSS JOIN UNNEST(lines) AS line
    UNION ALL
    SELECT order_id, shopper_id, line.product_id, 0, 1,
      unix_s(placed_at)
    FROM events.order_cancelled
    CROSS JOIN UNNEST(lines) AS line
  ) AS steps
  GROUP BY order_id, shopper_id, product_id
) AS orders
GROUP BY shopper_id, product_id
