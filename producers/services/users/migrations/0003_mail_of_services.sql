-- Puts a mail into the mailbox. At most five mails of a kind go to one address within an hour; returns NULL if there were as
-- many. The mail is that of `of_user_id`, or of the person with the address. The service sellers calls it, too.
CREATE FUNCTION send_mail(
    mail_id uuid, of_user_id uuid, to_email text, kind text, subject text, body text, sent_at timestamptz
) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = users, pg_temp AS $$
    INSERT INTO mails (mail_id, user_id, to_email, kind, subject, body, created_at)
    SELECT $1, coalesce($2, (SELECT user_id FROM people WHERE email = $3)), $3, $4, $5, $6, $7
    WHERE (
        SELECT count(*) FROM mails
        WHERE mails.to_email = $3 AND mails.kind = $4 AND created_at > $7 - interval '1 hour'
    ) < 5
    RETURNING true;
$$;

REVOKE ALL ON FUNCTION send_mail (uuid, uuid, text, text, text, text, timestamptz) FROM PUBLIC;
