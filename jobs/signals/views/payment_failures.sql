-- Failures in a row, without a success between them. While more follow, the first row of each hour is a signal.
SELECT subject_kind, subject_id, first_at, last_at
FROM (
  SELECT
    subject_kind, subject_id, first_at, last_at,
    ROW_NUMBER() OVER (
      PARTITION BY subject_kind, subject_id, DATE_FORMAT(last_at, 'yyyy-MM-dd HH') ORDER BY matched_at
    ) AS place
  FROM (
    SELECT subject_kind, subject_id, first_at, last_at, PROCTIME() AS matched_at
    FROM payment_outcomes
    MATCH_RECOGNIZE (
      PARTITION BY subject_kind, subject_id
      ORDER BY occurred_at, failed
      MEASURES FIRST(F.ended_at) AS first_at, LAST(F.ended_at) AS last_at
      ONE ROW PER MATCH
      AFTER MATCH SKIP TO NEXT ROW
      PATTERN (F{{failures:INT}}) WITHIN INTERVAL '{failure_hours:INT}' HOUR
      DEFINE
        F AS F.failed
    ) AS matched
  )
)
WHERE place = 1
