SELECT mail_id, to_email AS "to", subject, body AS text, created_at FROM mails
WHERE $1::text IS NULL OR to_email = $1::text
ORDER BY created_at DESC, mail_id DESC
LIMIT $2::integer;
