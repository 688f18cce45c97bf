UPDATE rules
SET
    is_enabled = true,
    disabled_reason = NULL,
    version = version + 1,
    evaluate_at = $2::timestamptz,
    evaluated_until = $2,
    maker = $3::text,
    made_at = $2
WHERE rule_id = $1::uuid;
