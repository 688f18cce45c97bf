-- Quiet times that become floods. Reviews between the two paces neither begin nor end a flood.
SELECT seller_id, subject_kind, subject_id, low, first_at, last_at
FROM (
  SELECT seller_id, subject_kind, subject_id, low, occurred_at, published_at, first_at, flooded, quiet
  FROM (
    SELECT
      seller_id, subject_kind, subject_id, low, occurred_at, published_at, first_at,
      first_at IS NOT NULL AND published_at <= first_at + INTERVAL '{review_hours:INT}' HOUR AS flooded,
      first_at IS NULL OR published_at > first_at + INTERVAL '{quiet_hours:INT}' HOUR AS quiet
    FROM review_pace
  )
  WHERE flooded OR quiet
)
MATCH_RECOGNIZE (
  PARTITION BY seller_id, subject_kind, subject_id, low
  ORDER BY occurred_at
  MEASURES F.first_at AS first_at, F.published_at AS last_at
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (Q F)
  DEFINE
    Q AS Q.quiet,
    F AS F.flooded
) AS matched
