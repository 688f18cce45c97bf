DELETE FROM revocations WHERE user_id = $1::uuid;
