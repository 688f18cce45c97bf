UPDATE people SET password_hash = $2::text WHERE user_id = $1::uuid;
