UPDATE stored_responses SET status = $3::smallint, response = $4::bytea
WHERE id = $1::bytea AND attempt = $2::integer AND status IS NULL;
