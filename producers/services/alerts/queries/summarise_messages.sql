SELECT status, count(*)::integer AS messages, min(created_at) AS oldest_at FROM messages
WHERE status = 'waiting' OR created_at >= $1::timestamptz
GROUP BY status
ORDER BY status;
