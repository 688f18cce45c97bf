-- Returns the rules that may apply to lines of a seller: its own, those of categories, and the defaults.
SELECT rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency, valid_from, reason,
    author, created_at
FROM commission_rules
WHERE seller_id = $1::text OR seller_id IS NULL;
