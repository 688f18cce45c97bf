-- Payments captured, without duplicates.
-- The second branch returns no rows. It adds the watermark of order_placed, so that `as_of` advances between payments.
-- The reports of the payments service (outbox_progress.sql) limit `as_of` while the service publishes nothing.
SELECT FLOOR(captured_at TO MINUTE) AS `minute`, `method`, currency, amount_minor
FROM (
  SELECT
    captured_at, `method`, currency, amount_minor,
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY arrived_at) AS copy
  FROM (
    SELECT *, PROCTIME() AS arrived_at
    FROM (
      SELECT event_id, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS captured_at, `method`, currency, amount_minor
      FROM events.payment_captured
      UNION ALL
      SELECT event_id, CAST(occurred_at AS TIMESTAMP_LTZ(3)), currency, currency, CAST(0 AS BIGINT)
      FROM events.order_placed
      WHERE CHAR_LENGTH(event_id) < 0
    )
  )
)
WHERE copy = 1
