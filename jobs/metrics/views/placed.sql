-- Orders placed, without duplicates: the first copy of an event to arrive counts.
SELECT order_id, shopper_id, currency, placed_at, FLOOR(placed_at TO MINUTE) AS `minute`, lines
FROM (
  SELECT
    order_id, shopper_id, currency, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS placed_at, lines,
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY arrived_at) AS copy
  FROM (SELECT *, PROCTIME() AS arrived_at FROM events.order_placed)
)
WHERE copy = 1
