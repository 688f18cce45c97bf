SELECT attempted_at, address, device, succeeded FROM sign_ins
WHERE user_id = $1::uuid
ORDER BY attempted_at, sign_in_id;
