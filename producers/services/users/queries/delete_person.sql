DELETE FROM people WHERE user_id = $1::uuid;
