SELECT
    messages.message_id,
    messages.rule_id,
    rules.name AS rule_name,
    messages.kind,
    messages.status,
    messages.subject,
    messages.body,
    messages.created_at,
    messages.send_at,
    messages.sent_at,
    messages.attempts,
    messages.error
FROM messages
JOIN rules USING (rule_id)
WHERE messages.seller_id = $1::text AND ($2::uuid IS NULL OR messages.message_id < $2::uuid)
ORDER BY messages.message_id DESC
LIMIT $3::integer;
