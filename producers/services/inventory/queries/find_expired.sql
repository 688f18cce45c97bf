SELECT order_id FROM reservations
WHERE state = 'held' AND expires_at < $1::timestamptz
ORDER BY expires_at
LIMIT $2::integer;
