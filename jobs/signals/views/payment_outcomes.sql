-- Whether payments of a method, and orders of a seller, were paid.
SELECT subject_kind, subject_id, occurred_at, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS ended_at, failed
FROM (
  SELECT subject_kind, subject_id, occurred_at, TRUE AS failed
  FROM failed_payments
  UNION ALL
  SELECT CAST('payment_method' AS STRING), `method`, occurred_at, FALSE
  FROM events.payment_captured
  WHERE `method` <> 'unknown'
    AND CAST(occurred_at AS TIMESTAMP_LTZ(3)) >= TIMESTAMPADD(DAY, -{news_days:INT}, CURRENT_ROW_TIMESTAMP())
  UNION ALL
  SELECT CAST('seller' AS STRING), line.seller_id, occurred_at, FALSE
  FROM confirmed
  CROSS JOIN UNNEST(confirmed.lines) AS line
)
