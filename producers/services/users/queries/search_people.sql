-- People from the newest to the oldest; $1 is a part of the e-mail or the name, $2 and $3 the end of the last page.
SELECT user_id, email, name, role, is_demo, verified_at, suspended_at, suspension_reason
FROM people
WHERE ($1::text IS NULL OR position(lower($1::text) IN lower(email)) > 0
    OR position(lower($1::text) IN lower(name)) > 0)
    AND ($2::timestamptz IS NULL OR (verified_at, user_id) < ($2::timestamptz, $3::uuid))
ORDER BY verified_at DESC, user_id DESC
LIMIT $4::integer;
