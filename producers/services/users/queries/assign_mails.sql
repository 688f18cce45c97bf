UPDATE mails SET user_id = $1::uuid WHERE to_email = $2::text;
