-- Inserts messages in the order in which they were emitted. Run this last in a transaction. The transaction then holds
-- the locks of all rows that it changed, so the messages of one key get their positions in the order of their commits.
INSERT INTO outbox (topic, key, value, headers)
SELECT topic, key, value, headers
FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::jsonb[]) WITH ORDINALITY
    AS messages (topic, key, value, headers, place)
ORDER BY place;
