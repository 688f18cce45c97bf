INSERT INTO sign_ins (sign_in_id, user_id, attempted_at, address, device)
VALUES ($1::uuid, $2::uuid, $3::timestamptz, $4::text, $5::text);
