-- Orders cancelled, each once; their minute is the one in which they were placed.
SELECT currency, FLOOR(placed_at TO MINUTE) AS `minute`, lines
FROM (
  SELECT
    currency, placed_at, lines,
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY arrived_at) AS copy
  FROM (SELECT *, PROCTIME() AS arrived_at FROM events.order_cancelled)
)
WHERE copy = 1
