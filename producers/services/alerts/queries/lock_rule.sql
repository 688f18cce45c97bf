SELECT * FROM rules WHERE seller_id = $1::text AND rule_id = $2::uuid FOR UPDATE;
