-- At most $8 mails of a kind in the time since $7 go to one address. Returns the mail's id if it was sent. The mail is
-- that of a person ($9), or of the person with the address.
INSERT INTO mails (mail_id, user_id, to_email, kind, subject, body, created_at)
SELECT $1::uuid, coalesce($9::uuid, (SELECT user_id FROM people WHERE email = $2::text)), $2::text, $3::text, $4::text,
    $5::text, $6::timestamptz
WHERE (
    SELECT count(*) FROM mails WHERE to_email = $2::text AND kind = $3::text AND created_at > $7::timestamptz
) < $8::integer
RETURNING mail_id;
