-- Puts a mail into the mailbox, once. Returns no row if five of its kind went to the address within an hour. The mail is that of
-- $2, or of the person with the address.
INSERT INTO mails (mail_id, user_id, to_email, kind, subject, body, created_at)
SELECT
    $1::uuid, coalesce($2::uuid, (SELECT user_id FROM people WHERE email = $3::text)),
    $3::text, $4::text, $5::text, $6::text, $7::timestamptz
WHERE EXISTS (SELECT FROM mails WHERE mail_id = $1::uuid)
    OR (
        SELECT count(*) FROM mails
        WHERE to_email = $3::text AND kind = $4::text AND created_at > $7::timestamptz - interval '1 hour'
    ) < 5
ON CONFLICT (mail_id) DO UPDATE SET mail_id = excluded.mail_id
RETURNING true;
