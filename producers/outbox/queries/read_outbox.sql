SELECT position, topic, key, value, headers, extract(epoch FROM clock_timestamp() - committed_at)::float8 AS waited_s
FROM outbox
ORDER BY position
LIMIT $1::integer;
