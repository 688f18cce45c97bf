-- Deletes the rows that were published and reads the next rows. It deletes single positions instead of all up to one
-- position, because a transaction with an earlier position may commit later.
WITH published AS (
    DELETE FROM outbox WHERE position = ANY($1::bigint[])
)
SELECT position, topic, key, value, headers, extract(epoch FROM clock_timestamp() - committed_at)::float8 AS waited_s
FROM outbox
WHERE position <> ALL($1::bigint[])
ORDER BY position
LIMIT $2::integer;
