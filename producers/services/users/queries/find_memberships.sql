-- The sellers for which a person works now, with the staff role; with $2, those that may not sell now, too. Sellers gives a role
-- only at a seller that was approved, so one whose status has not arrived yet counts as approved.
SELECT seller_id, 'owner' AS role FROM demo_memberships WHERE user_id = $1::uuid
UNION ALL
SELECT seller_id, role
FROM staff_roles LEFT JOIN seller_status USING (seller_id)
WHERE user_id = $1::uuid AND (coalesce(approved, true) OR $2::boolean)
ORDER BY seller_id;
