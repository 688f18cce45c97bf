-- Sessions, confirmed orders and cancellations of confirmed orders of each seller.
SELECT
  seller_id, occurred_at, CAST(1 AS BIGINT) AS sessions,
  CAST(NULL AS STRING) AS confirmed_order, CAST(NULL AS STRING) AS cancelled_order
FROM viewing_sessions
UNION ALL
SELECT line.seller_id, occurred_at, CAST(0 AS BIGINT), order_id, CAST(NULL AS STRING)
FROM confirmed
CROSS JOIN UNNEST(confirmed.lines) AS line
UNION ALL
SELECT line.seller_id, occurred_at, CAST(0 AS BIGINT), CAST(NULL AS STRING), order_id
FROM cancelled
CROSS JOIN UNNEST(cancelled.lines) AS line
WHERE confirmed_at IS NOT NULL
