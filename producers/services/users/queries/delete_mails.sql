DELETE FROM mails WHERE to_email = $1::text;
