-- Removes a person and their e-mail address from this service: their open and refused applications, their staff roles, the
-- invitations that they got and sent, what is to be told about their roles, and their id wherever it says who did something.
CREATE OR REPLACE FUNCTION forget_user(of_user_id uuid, of_email text) RETURNS void LANGUAGE plpgsql SECURITY INVOKER AS $$
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
    DELETE FROM requests WHERE starts_with(path, '/v1/people/' || of_user_id || '/');
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

DROP FUNCTION find_user (text), end_access (uuid), is_approved (text),
commissions_bp (text, text, text, bigint, integer[], timestamptz);
