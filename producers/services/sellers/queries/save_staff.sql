-- Gives a person a role at a seller, and records the change.
WITH saved AS (
    INSERT INTO staff (seller_id, user_id, role, email_hint, added_at, added_by)
    VALUES ($1::text, $2::uuid, $3::text, $4::text, $5::timestamptz, $6::text)
    ON CONFLICT (seller_id, user_id) DO UPDATE SET role = excluded.role
)
INSERT INTO staff_changes (seller_id, user_id, role, changed_at, changed_by)
VALUES ($1::text, $2::uuid, $3::text, $5::timestamptz, $6::text);
