-- The state of orders, one row for each event. The ClickHouse table keeps the maximum of each column, so the order and the
-- repetition of events do not change the result, and this query needs no state in Flink.
SELECT
  order_id, shopper_id, currency,
  CASE step WHEN 'placed' THEN taken_at END AS placed_at,
  CASE step WHEN 'confirmed' THEN taken_at END AS confirmed_at,
  CASE step WHEN 'shipped' THEN taken_at END AS shipped_at,
  CASE step WHEN 'delivered' THEN taken_at END AS delivered_at,
  CASE step WHEN 'cancelled' THEN taken_at END AS cancelled_at,
  step AS status,
  CASE step WHEN 'shipped' THEN MAP[seller_id, taken_at] END AS shipped_by,
  CASE step WHEN 'delivered' THEN MAP[seller_id, taken_at] END AS delivered_by
FROM order_changes
