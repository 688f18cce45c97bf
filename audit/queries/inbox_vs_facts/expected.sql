-- The events that each service processed. An id with slashes is the location of an undecodable message.
SELECT '{service}' AS service, id AS event_id, topic
FROM {service}.inbox
WHERE strpos(id, '/') = 0;
