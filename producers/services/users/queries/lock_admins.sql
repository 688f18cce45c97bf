-- The administrators who can sign in. The lock lets one transaction at a time make them fewer.
SELECT user_id FROM people
WHERE role = 'admin' AND suspended_at IS NULL AND NOT is_demo
ORDER BY user_id
FOR UPDATE;
