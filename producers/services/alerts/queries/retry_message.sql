UPDATE messages SET send_at = $2::timestamptz, error = $3::text WHERE message_id = $1::uuid AND status = 'waiting';
