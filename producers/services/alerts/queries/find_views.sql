SELECT view_id, name, choices, created_at FROM views WHERE seller_id = $1::text ORDER BY lower(name), name;
