-- Every shopper id, with the times of the registration and of the erasure.
SELECT
    shopper_id,
    to_char(date_trunc('milliseconds', registered_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') AS registered_at,
    coalesce(to_char(date_trunc('milliseconds', erased_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS'), '') AS erased_at
FROM users.pseudonyms;
