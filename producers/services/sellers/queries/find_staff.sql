SELECT user_id, role, email_hint, added_at, added_by FROM staff WHERE seller_id = $1::text ORDER BY added_at, user_id;
