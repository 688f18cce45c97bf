-- The person with a verified e-mail address, whom mails reach.
SELECT user_id FROM people WHERE email = $1::text AND NOT is_demo;
