-- Adds the rate that another system agreed with a seller. It is ignored for a seller that applied here, and for one with
-- a rule that was added here.
INSERT INTO commission_rules (rule_id, seller_id, rate_bp, valid_from, reason, author, created_at)
SELECT $1::uuid, $2::text, $3::integer, $4::timestamptz, 'Agreed when the seller was approved.', 'seller_approved',
    $5::timestamptz
WHERE NOT EXISTS (SELECT FROM sellers WHERE seller_id = $2::text AND source = 'application')
    AND NOT EXISTS (
        SELECT FROM commission_rules WHERE seller_id = $2::text AND author IS DISTINCT FROM 'seller_approved'
    )
ON CONFLICT (rule_id) DO NOTHING
RETURNING rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency, valid_from,
    reason, author, created_at;
