SELECT seller_id, role FROM memberships($1::uuid) ORDER BY seller_id;
