-- What happened at each seller in each window. A window in which nothing happened has no row.
SELECT
  seller_id,
  window_time AS closed_at,
  CAST(window_start AS TIMESTAMP_LTZ(3)) AS first_at,
  CAST(window_end AS TIMESTAMP_LTZ(3)) AS last_at,
  SUM(sessions) AS sessions,
  COUNT(DISTINCT confirmed_order) AS orders,
  COUNT(DISTINCT cancelled_order) AS cancellations
FROM TABLE(TUMBLE(TABLE seller_activity, DESCRIPTOR(occurred_at), INTERVAL '{window_hours:INT}' HOUR))
GROUP BY window_start, window_end, window_time, seller_id
