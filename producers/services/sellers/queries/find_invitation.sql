-- The open invitation with the digest of a token, if its seller may have staff now.
SELECT invitation_id, seller_id, email, role, invited_by, invited_at, expires_at, sellers.name AS seller_name
FROM staff_invitations
JOIN sellers USING (seller_id)
WHERE token_sha256 = $1::bytea AND expires_at > $2::timestamptz AND sellers.status = 'approved';
