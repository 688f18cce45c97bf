-- Counts the messages that are committed but not yet acknowledged by Kafka.
SELECT count(*) FROM outbox;
