-- No event is in a service's outbox.
SELECT '{service}' AS service, 0::bigint AS waiting;
