-- Whether payments of a method, and orders of a seller, were paid: each payment and each order once for each outcome.
SELECT subject_kind, subject_id, occurred_at, failed
FROM (
  SELECT
    subject_kind, subject_id, occurred_at, failed,
    ROW_NUMBER() OVER (PARTITION BY subject_kind, subject_id, reference_id, failed ORDER BY arrived_at) AS copy
  FROM (
    SELECT subject_kind, subject_id, reference_id, occurred_at, failed, PROCTIME() AS arrived_at
    FROM (
      -- Several attempts of one payment are one failure.
      SELECT
        CAST('payment_method' AS STRING) AS subject_kind, `method` AS subject_id, payment_id AS reference_id,
        occurred_at, TRUE AS failed
      FROM events.payment_failed
      WHERE `method` <> 'unknown'
      UNION ALL
      SELECT CAST('payment_method' AS STRING), `method`, payment_id, occurred_at, FALSE
      FROM events.payment_captured
      WHERE `method` <> 'unknown'
      UNION ALL
      SELECT CAST('seller' AS STRING), line.seller_id, order_id, occurred_at, TRUE
      FROM cancelled
      CROSS JOIN UNNEST(cancelled.lines) AS line
      WHERE reason = 'payment_failed'
      UNION ALL
      SELECT CAST('seller' AS STRING), line.seller_id, order_id, occurred_at, FALSE
      FROM confirmed
      CROSS JOIN UNNEST(confirmed.lines) AS line
    )
  )
)
WHERE copy = 1
