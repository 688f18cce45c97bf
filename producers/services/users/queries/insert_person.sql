WITH person AS (
    INSERT INTO people (user_id, email, name, password_hash, role, is_demo, sealed_shopper_id, verified_at)
    VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::boolean, $7::bytea, $8::timestamptz)
    ON CONFLICT (email) DO NOTHING
    RETURNING user_id
)
INSERT INTO person_keys (user_id, sealed_key) SELECT user_id, $9::bytea FROM person
RETURNING user_id;
