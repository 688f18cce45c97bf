UPDATE messages
SET
    status = CASE WHEN $3::text IS NULL THEN 'sent' ELSE 'failed' END,
    sent_at = CASE WHEN $3 IS NULL THEN $2::timestamptz END,
    error = $3
WHERE message_id = $1::uuid AND status = 'waiting'
RETURNING true;
