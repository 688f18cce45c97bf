-- How many messages are committed and not known to lie in Kafka.
SELECT count(*) FROM outbox;
