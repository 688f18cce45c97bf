-- Cancelled orders, without duplicates.
SELECT order_id, occurred_at, lines, reason, confirmed_at
FROM (
  SELECT
    order_id, occurred_at, lines, reason, confirmed_at,
    ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY arrived_at) AS copy
  FROM (
    SELECT order_id, occurred_at, lines, reason, confirmed_at, PROCTIME() AS arrived_at
    FROM events.order_cancelled
    WHERE CAST(occurred_at AS TIMESTAMP_LTZ(3)) >= TIMESTAMPADD(DAY, -{news_days:INT}, CURRENT_ROW_TIMESTAMP())
  )
)
WHERE copy = 1
