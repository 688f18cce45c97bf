INSERT INTO pseudonyms (shopper_id, registered_at) VALUES ($1::text, $2::timestamptz);
