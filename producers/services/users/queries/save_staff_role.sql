-- Returns no row if the person has this role at the seller already.
INSERT INTO staff_roles (user_id, seller_id, role) VALUES ($1::uuid, $2::text, $3::text)
ON CONFLICT (user_id, seller_id) DO UPDATE SET role = excluded.role WHERE staff_roles.role <> excluded.role
RETURNING true;
