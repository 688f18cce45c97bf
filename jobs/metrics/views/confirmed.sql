-- Order ids of the confirmed orders, without duplicates.
SELECT order_id
FROM (
  SELECT order_id, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY arrived_at) AS copy
  FROM (SELECT order_id, PROCTIME() AS arrived_at FROM events.order_confirmed)
)
WHERE copy = 1
