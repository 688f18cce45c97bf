SELECT sealed_guest_id FROM guest_ids
WHERE user_id = $1::uuid
ORDER BY linked_at DESC, digest
LIMIT $2::integer;
