-- Confirmed orders that were cancelled, without duplicates; `minute` is the minute in which the order was placed.
SELECT currency, FLOOR(placed_at TO MINUTE) AS `minute`, lines
FROM (
  SELECT
    currency, placed_at, lines,
    ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY arrived_at) AS copy
  FROM (SELECT *, PROCTIME() AS arrived_at FROM events.order_cancelled WHERE confirmed_at IS NOT NULL)
)
WHERE copy = 1
