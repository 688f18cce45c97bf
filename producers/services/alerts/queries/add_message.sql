INSERT INTO messages
(message_id, seller_id, rule_id, alert_id, kind, status, subject, body, content, created_at, send_at, sent_at)
VALUES (
    $1::uuid, $2::text, $3::uuid, $4::uuid, $5::text, $6::text, $7::text, $8::text, $9::jsonb, $10::timestamptz,
    $11::timestamptz, $12::timestamptz
);
