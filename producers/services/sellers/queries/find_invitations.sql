SELECT invitation_id, email, role, expires_at
FROM staff_invitations
WHERE seller_id = $1::text AND expires_at > $2::timestamptz
ORDER BY invited_at, invitation_id;
