-- One row for each service: `outbox.<service>` and the time up to which all its events are in Kafka.
SELECT
  CONCAT('outbox.', service) AS table_name,
  0 AS subtask,
  1 AS parallelism,
  TO_TIMESTAMP_LTZ(complete_until, 3) AS `watermark`
FROM outbox_progress
WHERE service IS NOT NULL AND complete_until IS NOT NULL
