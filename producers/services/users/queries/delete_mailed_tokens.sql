DELETE FROM mailed_tokens WHERE user_id = $1::uuid;
