-- Calls into the users service, within the same transaction. Without that service there are no accounts: no address has
-- one, and no access has to end.
CREATE FUNCTION find_user(email text) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    IF to_regnamespace('users') IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN users.find_user(email);
END
$$;

-- Ends the access tokens of a person, so that a changed staff role applies at once.
CREATE FUNCTION end_access(of_user_id uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regnamespace('users') IS NOT NULL THEN
        PERFORM users.end_access(of_user_id);
    END IF;
END
$$;

-- Removes a person and their e-mail address from this service: their open and refused applications, their staff roles,
-- and their id wherever it says who did something. Users calls it in the transaction that erases the account.
CREATE FUNCTION forget_user(of_user_id uuid, of_email text) RETURNS void
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

REVOKE ALL ON FUNCTION find_user (text) FROM PUBLIC;
REVOKE ALL ON FUNCTION end_access (uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION forget_user (uuid, text) FROM PUBLIC;
