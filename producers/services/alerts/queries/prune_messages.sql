DELETE FROM messages
WHERE message_id IN (
    SELECT message_id FROM messages WHERE created_at < now() - $1::interval AND status <> 'waiting' LIMIT $2::integer
);
