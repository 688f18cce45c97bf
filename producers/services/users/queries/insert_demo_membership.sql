INSERT INTO demo_memberships (user_id, seller_id) VALUES ($1::uuid, $2::text);
