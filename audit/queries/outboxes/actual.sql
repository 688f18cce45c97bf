-- The number of events in each service's outbox, which Kafka has not acknowledged yet.
SELECT '{service}' AS service, count(*) AS waiting
FROM {service}.outbox;
