-- Failed payments of each method, and unpaid orders of each seller, each once: several attempts of a payment are one failure.
SELECT subject_kind, subject_id, occurred_at
FROM (
  SELECT
    subject_kind, subject_id, occurred_at,
    ROW_NUMBER() OVER (PARTITION BY subject_kind, subject_id, reference_id ORDER BY arrived_at) AS copy
  FROM (
    SELECT subject_kind, subject_id, reference_id, occurred_at, PROCTIME() AS arrived_at
    FROM (
      SELECT
        CAST('payment_method' AS STRING) AS subject_kind, `method` AS subject_id, payment_id AS reference_id, occurred_at
      FROM events.payment_failed
      WHERE `method` <> 'unknown'
        AND CAST(occurred_at AS TIMESTAMP_LTZ(3)) >= TIMESTAMPADD(DAY, -{news_days:INT}, CURRENT_ROW_TIMESTAMP())
      UNION ALL
      SELECT CAST('seller' AS STRING), line.seller_id, order_id, occurred_at
      FROM cancelled
      CROSS JOIN UNNEST(cancelled.lines) AS line
      WHERE reason = 'payment_failed'
    )
  )
)
WHERE copy = 1
