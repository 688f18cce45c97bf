UPDATE messages
SET send_at = $1::timestamptz + $2::interval, attempts = attempts + 1
FROM rules
WHERE rules.rule_id = messages.rule_id
    AND messages.message_id IN (
        SELECT message_id FROM messages
        WHERE status = 'waiting' AND send_at <= $1
        ORDER BY send_at
        LIMIT $3::integer
        FOR UPDATE SKIP LOCKED
    )
RETURNING
    messages.message_id,
    messages.seller_id,
    messages.rule_id,
    messages.kind,
    messages.subject,
    messages.body,
    messages.content,
    messages.attempts,
    rules.target,
    rules.person_id,
    rules.maker,
    rules.made_at,
    rules.url,
    rules.sealed_secret,
    is_approved(rules.seller_id) AS is_approved;
