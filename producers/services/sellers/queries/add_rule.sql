-- Adds a commission rule. Returns no row if there is no such seller.
INSERT INTO commission_rules
    (rule_id, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency, valid_from, reason, author,
     created_at)
SELECT $1::uuid, $2::text, $3::text, $4::integer, $5::bigint, $6::bigint, $7::text, $8::timestamptz, $9::text,
    $10::text, $11::timestamptz
WHERE $2::text IS NULL OR EXISTS (SELECT FROM sellers WHERE seller_id = $2::text)
RETURNING rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency, valid_from,
    reason, author, created_at;
