INSERT INTO guest_ids (digest, user_id, sealed_guest_id, linked_at)
VALUES ($1::bytea, $2::uuid, $3::bytea, $4::timestamptz)
ON CONFLICT (digest) DO NOTHING;
