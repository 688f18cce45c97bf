UPDATE people SET email = $2::text WHERE user_id = $1::uuid;
