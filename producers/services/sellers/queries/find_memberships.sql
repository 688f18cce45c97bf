SELECT seller_id FROM staff WHERE user_id = $1::uuid ORDER BY seller_id;
