-- The events that wait in the outbox of each service.
SELECT '{service}' AS service, position
FROM {service}.outbox;
