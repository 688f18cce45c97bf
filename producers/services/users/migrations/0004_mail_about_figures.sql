-- Returns the person with a verified e-mail address if they may see the figures of a seller; NULL if there is none. The service
-- alerts calls it.
CREATE FUNCTION find_reader(of_email text, of_seller_id text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = users, pg_temp AS $$
    SELECT user_id FROM people
    WHERE email = lower(normalize(btrim(of_email), NFC))
        AND NOT is_demo
        AND suspended_at IS NULL
        AND EXISTS (
            SELECT FROM memberships(people.user_id) AS membership
            WHERE membership.seller_id = of_seller_id AND membership.role IN ('owner', 'manager', 'analyst')
        );
$$;

-- Puts a mail with figures of a seller into the mailbox, to a person who may see them now. Returns 'sent'; 'limited' if too many
-- mails of its kind went to the address; 'left' if the person may not see the figures any more. The service alerts calls it.
CREATE FUNCTION send_to_reader(
    mail_id uuid, of_user_id uuid, of_seller_id text, kind text, subject text, body text, sent_at timestamptz
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = users, pg_temp AS $$
DECLARE
    address text;
BEGIN
    SELECT email INTO address FROM people WHERE user_id = of_user_id FOR SHARE;
    IF find_reader(address, of_seller_id) IS NULL THEN
        RETURN 'left';
    END IF;
    IF send_mail(mail_id, of_user_id, address, kind, subject, body, sent_at) THEN
        RETURN 'sent';
    END IF;
    RETURN 'limited';
END
$$;

-- Deletes what other services have of a person: their staff roles, applications and API keys, their name on changes of
-- settings, and that they get mails about figures. Fails if such a service has no function to forget them yet, because an
-- erasure must not be done in part.
CREATE OR REPLACE FUNCTION forget_membership(of_user_id uuid, of_email text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF to_regnamespace('sellers') IS NOT NULL THEN
        EXECUTE 'SELECT sellers.forget_user($1, $2)' USING of_user_id, of_email;
    END IF;
    IF to_regnamespace('configuration') IS NOT NULL THEN
        EXECUTE 'SELECT configuration.forget_author($1)' USING of_user_id::text;
    END IF;
    IF to_regnamespace('alerts') IS NOT NULL THEN
        EXECUTE 'SELECT alerts.forget_user($1)' USING of_user_id;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION find_reader (text, text),
send_to_reader (uuid, uuid, text, text, text, text, timestamptz) FROM PUBLIC;
