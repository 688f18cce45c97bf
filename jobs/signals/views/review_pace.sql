-- For each review, when the first of the last reviews was written that would be a flood. NULL if there are fewer.
SELECT
  seller_id, subject_kind, subject_id, low, occurred_at, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS written_at,
  CASE WHEN low THEN nth_low_at ELSE nth_at END AS first_at
FROM (
  SELECT
    seller_id, subject_kind, subject_id, low, occurred_at,
    LAG(CAST(occurred_at AS TIMESTAMP_LTZ(3)), {reviews_after_first:INT}) OVER subjects AS nth_at,
    LAG(CAST(occurred_at AS TIMESTAMP_LTZ(3)), {low_reviews_after_first:INT}) OVER subjects AS nth_low_at
  FROM reviews
  WINDOW subjects AS (PARTITION BY seller_id, subject_kind, subject_id, low ORDER BY occurred_at)
)
