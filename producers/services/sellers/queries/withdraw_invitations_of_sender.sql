-- Deletes the invitations that a person sent for a seller, except those to roles that they may still give.
DELETE FROM staff_invitations WHERE seller_id = $1::text AND invited_by = $2::text AND role <> ALL ($3::text[]);
