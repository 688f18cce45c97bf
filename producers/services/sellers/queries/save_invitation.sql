-- Saves an invitation of a locked seller, unless it has $9 open ones to other addresses. It replaces an earlier one to the
-- same address, whose link ends.
INSERT INTO staff_invitations
    (invitation_id, seller_id, email, role, token_sha256, invited_at, invited_by, expires_at)
SELECT
    $1::uuid, $2::text, $3::text, $4::text, $5::bytea, $6::timestamptz, $7::text, $8::timestamptz
WHERE (
    SELECT count(*) FROM staff_invitations
    WHERE seller_id = $2::text AND email <> $3::text AND expires_at > $6::timestamptz
) < $9::integer
ON CONFLICT (seller_id, email) DO UPDATE SET
    invitation_id = excluded.invitation_id,
    role = excluded.role,
    token_sha256 = excluded.token_sha256,
    invited_at = excluded.invited_at,
    invited_by = excluded.invited_by,
    expires_at = excluded.expires_at
RETURNING invitation_id, email, role, expires_at;
