SELECT user_id, email, name, password_hash, role, is_demo, sealed_shopper_id, sealed_key, verified_at, suspended_at,
    suspension_reason
FROM people JOIN person_keys USING (user_id)
WHERE user_id = $1::uuid;
