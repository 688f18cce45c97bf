-- Orders cancelled, each once; their minute is the one in which they were placed.
-- The second branch has no rows. It brings the watermark of order_placed, so that `as_of` goes on while none is cancelled.
SELECT order_id, currency, FLOOR(placed_at TO MINUTE) AS `minute`, lines
FROM (
  SELECT
    order_id, currency, placed_at, lines,
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY arrived_at) AS copy
  FROM (
    SELECT *, PROCTIME() AS arrived_at
    FROM (
      SELECT event_id, order_id, currency, placed_at, lines FROM events.order_cancelled
      UNION ALL
      SELECT event_id, order_id, currency, CAST(occurred_at AS TIMESTAMP_LTZ(3)), lines FROM events.order_placed
      WHERE CHAR_LENGTH(event_id) < 0
    )
  )
)
WHERE copy = 1
