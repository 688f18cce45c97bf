-- Returns commission rules, newest first: of one seller if $1 is given, of one category if $2 is given, before $3.
SELECT rule_id, position, seller_id, category, rate_bp, minimum_minor, maximum_minor, currency, valid_from, reason,
    author, created_at
FROM commission_rules
WHERE ($1::text IS NULL OR seller_id = $1::text)
    AND ($2::text IS NULL OR category = $2::text)
    AND ($3::bigint IS NULL OR position < $3::bigint)
ORDER BY position DESC
LIMIT $4::integer;
