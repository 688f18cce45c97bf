-- For each review, when the first of the last reviews was published that would be a flood. NULL if there are fewer.
SELECT
  seller_id, subject_kind, subject_id, low, occurred_at, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS published_at,
  CASE WHEN reviews = {reviews:INT} THEN oldest_at END AS first_at
FROM (
  SELECT
    seller_id, subject_kind, subject_id, low, occurred_at,
    COUNT(*) OVER last_reviews AS reviews,
    MIN(CAST(occurred_at AS TIMESTAMP_LTZ(3))) OVER last_reviews AS oldest_at
  FROM reviews
  WHERE NOT low
  WINDOW last_reviews AS (
    PARTITION BY seller_id, subject_kind, subject_id, low ORDER BY occurred_at
    ROWS BETWEEN {reviews_after_first:INT} PRECEDING AND CURRENT ROW
  )
)
UNION ALL
SELECT
  seller_id, subject_kind, subject_id, low, occurred_at, CAST(occurred_at AS TIMESTAMP_LTZ(3)),
  CASE WHEN reviews = {low_reviews:INT} THEN oldest_at END
FROM (
  SELECT
    seller_id, subject_kind, subject_id, low, occurred_at,
    COUNT(*) OVER last_reviews AS reviews,
    MIN(CAST(occurred_at AS TIMESTAMP_LTZ(3))) OVER last_reviews AS oldest_at
  FROM reviews
  WHERE low
  WINDOW last_reviews AS (
    PARTITION BY seller_id, subject_kind, subject_id, low ORDER BY occurred_at
    ROWS BETWEEN {low_reviews_after_first:INT} PRECEDING AND CURRENT ROW
  )
)
