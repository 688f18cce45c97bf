UPDATE people SET role = $2::text WHERE user_id = $1::uuid;
