DELETE FROM mails
WHERE mail_id IN (SELECT mail_id FROM mails WHERE created_at < now() - $1::interval LIMIT $2::integer);
