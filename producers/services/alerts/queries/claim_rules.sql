UPDATE rules
SET evaluate_at = $1::timestamptz + $2::interval
WHERE rule_id IN (
    SELECT rule_id FROM rules
    WHERE is_enabled AND evaluate_at <= $1
    ORDER BY evaluate_at
    LIMIT $3::integer
    FOR UPDATE SKIP LOCKED
)
RETURNING rules.*, is_approved(seller_id) AS is_approved;
