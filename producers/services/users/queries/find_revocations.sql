-- A position from before a reset of the database is higher than any that this database has given: then all follow.
SELECT position, session_id, user_id, extract(epoch FROM before)::double precision AS before
FROM revocations
WHERE position > CASE
    WHEN $1::bigint > (SELECT last_value FROM revocations_position_seq) THEN 0
    ELSE $1::bigint
END
ORDER BY position;
