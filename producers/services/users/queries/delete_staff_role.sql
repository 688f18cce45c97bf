DELETE FROM staff_roles WHERE user_id = $1::uuid AND seller_id = $2::text RETURNING true;
