-- The API keys that a person made, which end with their rights.
CREATE INDEX api_keys_of_maker ON api_keys (created_by) WHERE revoked_at IS NULL;

-- Revokes the API keys that a person made. Users calls it in the transaction that suspends the account.
CREATE FUNCTION revoke_keys_of_user(of_user_id uuid, revoked_by_id text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = sellers, pg_temp AS $$
    UPDATE api_keys SET revoked_at = now(), revoked_by = revoked_by_id
    WHERE created_by = of_user_id::text AND revoked_at IS NULL;
$$;

-- Returns whether a person may make API keys: whether their account is not suspended. A suspension waits for the end of
-- this transaction, so that it revokes the key that the transaction makes. Without the service users, nobody is suspended.
CREATE FUNCTION lock_maker(of_user_id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF to_regnamespace('users') IS NULL THEN
        RETURN true;
    END IF;
    RETURN users.lock_unless_suspended(of_user_id);
END
$$;

REVOKE ALL ON FUNCTION revoke_keys_of_user (uuid, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION lock_maker (uuid) FROM PUBLIC;
