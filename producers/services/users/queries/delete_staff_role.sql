-- Ends the role of a person at a seller, and records when.
WITH ended AS (
    DELETE FROM staff_roles WHERE user_id = $1::uuid AND seller_id = $2::text RETURNING user_id, seller_id
)
INSERT INTO former_staff_roles (user_id, seller_id, ended_at)
SELECT user_id, seller_id, now() FROM ended
ON CONFLICT (user_id, seller_id) DO UPDATE SET ended_at = excluded.ended_at
RETURNING true;
