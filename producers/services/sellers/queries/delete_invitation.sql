DELETE FROM staff_invitations WHERE invitation_id = $1::uuid RETURNING invitation_id;
