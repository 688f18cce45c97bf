DELETE FROM views WHERE seller_id = $1::text AND view_id = $2::uuid RETURNING true;
