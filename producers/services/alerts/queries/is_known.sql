SELECT EXISTS (SELECT FROM messages WHERE alert_id = $1::uuid AND (status = 'sent' OR attempts > 0));
