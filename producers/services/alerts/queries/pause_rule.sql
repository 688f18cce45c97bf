UPDATE rules
SET
    is_enabled = false,
    disabled_reason = $2::text,
    version = version + 1,
    state = 'normal',
    state_count = 0,
    alert_id = NULL,
    problem = NULL
WHERE rule_id = $1::uuid;
