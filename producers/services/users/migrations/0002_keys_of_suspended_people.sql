-- Returns whether a person is not suspended, and lets nobody suspend or erase them until the transaction has ended. Somebody
-- without an account is not suspended. The service sellers calls it when somebody makes an API key.
CREATE FUNCTION lock_unless_suspended(of_user_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = users, pg_temp AS $$
DECLARE
    is_suspended boolean;
BEGIN
    SELECT suspended_at IS NOT NULL INTO is_suspended FROM people WHERE user_id = of_user_id FOR SHARE;
    RETURN NOT coalesce(is_suspended, false);
END
$$;

-- Revokes the API keys that a person made. Without the service sellers, there are none. Fails if that service has no
-- function to revoke them yet, because a suspension must not leave a key.
CREATE FUNCTION revoke_keys(of_user_id uuid, revoked_by text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF to_regnamespace('sellers') IS NOT NULL THEN
        EXECUTE 'SELECT sellers.revoke_keys_of_user($1, $2)' USING of_user_id, revoked_by;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION lock_unless_suspended (uuid), revoke_keys (uuid, text) FROM PUBLIC;
