-- Returns a row if the return is new.
INSERT INTO returns (order_id, return_id) VALUES ($1::uuid, $2::text) ON CONFLICT DO NOTHING RETURNING return_id;
