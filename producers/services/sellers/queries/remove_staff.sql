-- Removes a person from the staff of a seller, and records the change.
WITH removed AS (
    DELETE FROM staff WHERE seller_id = $1::text AND user_id = $2::uuid
)
INSERT INTO staff_changes (seller_id, user_id, role, changed_at, changed_by)
VALUES ($1::text, $2::uuid, NULL, $3::timestamptz, $4::text);
