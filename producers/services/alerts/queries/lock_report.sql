SELECT * FROM reports WHERE seller_id = $1::text AND report_id = $2::uuid FOR UPDATE;
