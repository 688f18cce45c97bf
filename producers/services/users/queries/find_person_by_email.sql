SELECT user_id FROM people WHERE email = $1::text;
