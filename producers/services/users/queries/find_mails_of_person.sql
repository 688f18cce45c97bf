SELECT mail_id, to_email AS "to", subject, created_at FROM mails
WHERE user_id = $1::uuid OR to_email = $2::text
ORDER BY created_at, mail_id;
