-- Cancelled orders, without duplicates.
SELECT order_id, occurred_at, lines, reason, confirmed_at
FROM (
  SELECT
    order_id, occurred_at, lines, reason, confirmed_at,
    ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY arrived_at) AS copy
  FROM (
    SELECT order_id, occurred_at, lines, reason, confirmed_at, PROCTIME() AS arrived_at
    FROM events.order_cancelled
  )
)
WHERE copy = 1
