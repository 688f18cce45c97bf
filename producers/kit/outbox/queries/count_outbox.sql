-- Counts the messages that are committed but not yet acknowledged by Kafka, and says how old the oldest one is.
SELECT
    count(*) AS waiting,
    coalesce(extract(epoch FROM clock_timestamp() - min(committed_at)), 0)::float8 AS oldest_s
FROM outbox;
