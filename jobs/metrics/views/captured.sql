-- Payments captured, each once.
SELECT FLOOR(occurred_at TO MINUTE) AS `minute`, `method`, currency, amount_minor
FROM (
  SELECT
    CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS occurred_at, `method`, currency, amount_minor,
    ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY arrived_at) AS copy
  FROM (SELECT *, PROCTIME() AS arrived_at FROM events.payment_captured)
)
WHERE copy = 1
