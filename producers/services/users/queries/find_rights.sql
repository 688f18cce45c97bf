-- Who a person is now, if they may do anything: no row for a suspended one, or one of a demo that is not available.
SELECT role, rights_since
FROM people
WHERE user_id = $1::uuid
    AND suspended_at IS NULL
    AND (NOT is_demo OR (SELECT enabled AND NOT EXISTS (SELECT FROM people WHERE NOT is_demo) FROM demo));
