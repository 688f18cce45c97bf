-- Lines of refunded returns, without duplicates; `minute` is the minute in which the order was placed.
SELECT back.`minute`, back.currency, CAST(line.quantity AS BIGINT) AS units, line.refund_minor
FROM (
  SELECT FLOOR(placed_at TO MINUTE) AS `minute`, currency, lines
  FROM (
    SELECT
      placed_at, currency, lines,
      ROW_NUMBER() OVER (PARTITION BY return_id ORDER BY arrived_at) AS copy
    FROM (
      SELECT
        return_id, currency, lines, COALESCE(placed_at, CAST(occurred_at AS TIMESTAMP_LTZ(3))) AS placed_at,
        PROCTIME() AS arrived_at
      FROM events.payment_refunded
      WHERE return_id IS NOT NULL AND placed_at IS NOT NULL
    )
  )
  WHERE copy = 1
) AS back
CROSS JOIN UNNEST(back.lines) AS line
