-- Outcomes of payments, and whether each begins a run of failures.
SELECT
  subject_kind, subject_id, occurred_at, CAST(occurred_at AS TIMESTAMP_LTZ(3)) AS failed_at, failed,
  failed AND NOT COALESCE(failed_before, FALSE) AS begins
FROM (
  SELECT
    subject_kind, subject_id, occurred_at, failed,
    LAG(failed) OVER (PARTITION BY subject_kind, subject_id ORDER BY occurred_at) AS failed_before
  FROM payment_outcomes
)
