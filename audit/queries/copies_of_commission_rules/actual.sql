-- The rules that the orders service has read of; its times are those of events, in milliseconds.
SELECT
    rule_id::text AS rule_id,
    position,
    seller_id,
    category,
    rate_bp,
    minimum_minor,
    maximum_minor,
    currency,
    floor(extract(epoch FROM valid_from) * 1000)::bigint AS valid_from_ms
FROM orders.commission_rules;
