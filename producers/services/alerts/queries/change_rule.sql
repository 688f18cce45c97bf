-- Gives rule $1 the content of $2, and starts it anew at moment $3: no alert is open, and nothing was evaluated.
UPDATE rules
SET
    name = changed.name,
    metric = changed.metric,
    product_id = changed.product_id,
    window_length = changed.window_length,
    condition = changed.condition,
    severity = changed.severity,
    fires_after = changed.fires_after,
    resolves_after = changed.resolves_after,
    distance_minutes = changed.distance_minutes,
    repeat_minutes = changed.repeat_minutes,
    quiet_start = changed.quiet_start,
    quiet_end = changed.quiet_end,
    timezone = changed.timezone,
    target = changed.target,
    person_id = changed.person_id,
    address_hint = changed.address_hint,
    url = changed.url,
    sealed_secret = changed.sealed_secret,
    version = rules.version + 1,
    state = 'normal',
    state_count = 0,
    alert_id = NULL,
    last_value = NULL,
    last_message_at = NULL,
    problem = NULL,
    maker = changed.maker,
    made_at = $3::timestamptz,
    evaluate_at = $3::timestamptz,
    evaluated_until = $3
FROM jsonb_populate_record(NULL::rules, $2::jsonb) AS changed
WHERE rules.rule_id = $1::uuid
RETURNING rules.*;
