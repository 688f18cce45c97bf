-- Confirmed orders that were cancelled, without duplicates; `minute` is the minute in which the order was placed.
SELECT gone.currency, gone.`minute`, gone.lines
FROM (
  SELECT order_id, currency, FLOOR(placed_at TO MINUTE) AS `minute`, lines
  FROM (
    SELECT
      order_id, currency, placed_at, lines,
      ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY arrived_at) AS copy
    FROM (SELECT *, PROCTIME() AS arrived_at FROM events.order_cancelled)
  )
  WHERE copy = 1
) AS gone
JOIN confirmed ON gone.order_id = confirmed.order_id
