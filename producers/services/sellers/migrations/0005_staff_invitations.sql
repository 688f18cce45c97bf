-- Invitations to the staff of a seller that are open. An invitation is deleted when it is accepted, refused or withdrawn, and
-- some time after it has expired. `email` is in the form of `common.email_address`. The mail contains the token; here is
-- only its SHA-256. Nothing here says whether the address has an account.
CREATE TABLE staff_invitations (
    invitation_id uuid PRIMARY KEY,
    seller_id text NOT NULL REFERENCES sellers,
    email text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'analyst', 'fulfilment')),
    token_sha256 bytea NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    invited_at timestamptz NOT NULL,
    invited_by text,
    expires_at timestamptz NOT NULL,
    UNIQUE (seller_id, email)
);
CREATE INDEX staff_invitations_by_address ON staff_invitations (email);
CREATE INDEX staff_invitations_by_expiry ON staff_invitations (expires_at);

-- Removes a person and their e-mail address from this service: their open and refused applications, their staff roles, the
-- invitations that they got and sent, and their id wherever it says who did something. Users calls it in the transaction
-- that erases the account.
CREATE OR REPLACE FUNCTION forget_user(of_user_id uuid, of_email text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sellers, pg_temp AS $$
DECLARE
    never_approved text[];
BEGIN
    SELECT array_agg(seller_id) INTO never_approved
    FROM applications
    WHERE applicant_id = of_user_id AND status <> 'approved';

    DELETE FROM applications WHERE seller_id = ANY (never_approved);
    DELETE FROM seller_steps WHERE seller_id = ANY (never_approved);
    DELETE FROM sellers WHERE seller_id = ANY (never_approved);
    DELETE FROM staff WHERE user_id = of_user_id;
    DELETE FROM staff_invitations
    WHERE email = lower(normalize(btrim(of_email), NFC)) OR invited_by = of_user_id::text;
    UPDATE sellers SET contact_email = NULL WHERE lower(contact_email) = lower(of_email);
    UPDATE applications SET applicant_id = NULL WHERE applicant_id = of_user_id;
    UPDATE applications SET decided_by = NULL WHERE decided_by = of_user_id::text;
    UPDATE seller_steps SET changed_by = NULL WHERE changed_by = of_user_id::text;
    UPDATE staff SET added_by = NULL WHERE added_by = of_user_id::text;
    UPDATE staff_changes SET user_id = NULL WHERE user_id = of_user_id;
    UPDATE staff_changes SET changed_by = NULL WHERE changed_by = of_user_id::text;
    UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE created_by = of_user_id::text;
    UPDATE api_keys SET created_by = NULL WHERE created_by = of_user_id::text;
    UPDATE api_keys SET revoked_by = NULL WHERE revoked_by = of_user_id::text;
    UPDATE commission_rules SET author = NULL WHERE author = of_user_id::text;
END
$$;
