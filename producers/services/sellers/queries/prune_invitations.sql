DELETE FROM staff_invitations
WHERE invitation_id IN (
    SELECT invitation_id FROM staff_invitations WHERE expires_at < now() - $1::interval LIMIT $2::integer
);
