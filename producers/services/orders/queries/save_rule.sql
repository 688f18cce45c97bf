-- A rule never changes, so a second copy of its event changes nothing.
INSERT INTO commission_rules
    (rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency, valid_from)
VALUES ($1::uuid, $2::bigint, $3::text, $4::text, $5::integer, $6::bigint, $7::bigint, $8::text, $9::timestamptz)
ON CONFLICT (rule_id) DO NOTHING;
