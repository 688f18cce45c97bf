-- Records an attempt to add a person that changed nothing: the address has no account, or the person has a role
-- already. So this request writes like one that adds a person, and takes as long.
INSERT INTO staff_changes (seller_id, user_id, role, changed_at, changed_by)
VALUES ($1::text, NULL, $2::text, $3::timestamptz, $4::text);
