-- Confirmed orders, without duplicates.
SELECT order_id, occurred_at, lines
FROM (
  SELECT order_id, occurred_at, lines, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY arrived_at) AS copy
  FROM (SELECT order_id, occurred_at, lines, PROCTIME() AS arrived_at FROM events.order_confirmed)
)
WHERE copy = 1
