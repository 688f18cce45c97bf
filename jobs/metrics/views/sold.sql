-- Confirmed orders, without duplicates; `minute` is the minute in which the order was placed.
-- The second branch returns no rows. It adds the watermark of order_placed, so that `as_of` advances between confirmations.
SELECT currency, placed_at, FLOOR(placed_at TO MINUTE) AS `minute`, lines
FROM (
  SELECT
    currency, placed_at, lines,
    ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY arrived_at) AS copy
  FROM (
    SELECT *, PROCTIME() AS arrived_at
    FROM (
      SELECT
        order_id, COALESCE(currency, '') AS currency,
        COALESCE(placed_at, CAST(occurred_at AS TIMESTAMP_LTZ(3))) AS placed_at, lines
      FROM events.order_confirmed
      WHERE placed_at IS NOT NULL
      UNION ALL
      SELECT order_id, currency, CAST(occurred_at AS TIMESTAMP_LTZ(3)), lines
      FROM events.order_placed
      WHERE CHAR_LENGTH(event_id) < 0
    )
  )
)
WHERE copy = 1
