-- How many messages are committed and not yet acknowledged by Kafka.
SELECT count(*) FROM outbox;
