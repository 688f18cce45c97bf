INSERT INTO alert_steps (alert_id, status, occurred_at, seller_id, rule_id)
VALUES ($1::uuid, $2::text, $3::timestamptz, $4::text, $5::uuid);
