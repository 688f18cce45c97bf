-- Confirmed orders, without duplicates.
SELECT placed_at, lines
FROM (
  SELECT placed_at, lines, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY arrived_at) AS copy
  FROM (
    SELECT
      order_id, COALESCE(placed_at, CAST(occurred_at AS TIMESTAMP_LTZ(3))) AS placed_at, lines,
      PROCTIME() AS arrived_at
    FROM events.order_confirmed
    WHERE placed_at IS NOT NULL
  )
)
WHERE copy = 1
