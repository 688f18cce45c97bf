DELETE FROM addresses WHERE user_id = $1::uuid AND address_id = $2::text RETURNING address_id;
