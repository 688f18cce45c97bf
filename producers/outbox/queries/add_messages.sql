-- In the order in which they were emitted. Run last in a transaction: by then it holds the locks of all that it
-- changed, so the positions of one key's messages are in the order of their commits.
INSERT INTO outbox (topic, key, value, headers)
SELECT topic, key, value, headers
FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::jsonb[]) WITH ORDINALITY
    AS messages (topic, key, value, headers, place)
ORDER BY place;
