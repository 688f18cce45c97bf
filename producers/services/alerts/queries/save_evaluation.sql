UPDATE rules
SET
    state = $4::text,
    state_count = $5::integer,
    alert_id = $6::uuid,
    last_value = $7::double precision,
    evaluated_until = $8::timestamptz,
    evaluate_at = $9::timestamptz,
    last_message_at = coalesce($10::timestamptz, last_message_at),
    problem = NULL
WHERE rule_id = $1::uuid AND version = $2::integer AND evaluated_until = $3::timestamptz
RETURNING true;
