-- Ends the access tokens that the staff of a seller has now. The locks make a concurrent refresh wait for the commit, or be
-- finished before.
SELECT revoke_access(NULL, user_id, clock_timestamp())
FROM (
    SELECT user_id FROM people JOIN staff_roles USING (user_id)
    WHERE seller_id = $1::text
    ORDER BY user_id
    FOR UPDATE OF people
) AS staff;
