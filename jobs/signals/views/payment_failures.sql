-- The first failures of each run, without a success between them. A longer run is no further signal.
SELECT subject_kind, subject_id, first_at, last_at
FROM payment_runs
MATCH_RECOGNIZE (
  PARTITION BY subject_kind, subject_id
  ORDER BY occurred_at
  MEASURES A.failed_at AS first_at, LAST(F.failed_at) AS last_at
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A F{{failures_after_first:INT}}) WITHIN INTERVAL '{failure_hours:INT}' HOUR
  DEFINE
    A AS A.begins,
    F AS F.failed AND NOT F.begins
) AS matched
