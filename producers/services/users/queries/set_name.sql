UPDATE people SET name = $2::text WHERE user_id = $1::uuid;
