-- Outcomes of payments, and whether each begins a run of failures: it is the only failure of the last two outcomes.
SELECT
  subject_kind, subject_id, occurred_at, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS failed_at, failed,
  failed AND failures = 1 AS begins
FROM (
  SELECT
    subject_kind, subject_id, occurred_at, failed,
    SUM(CASE WHEN failed THEN 1 ELSE 0 END) OVER (
      PARTITION BY subject_kind, subject_id ORDER BY occurred_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
    ) AS failures
  FROM payment_outcomes
)
