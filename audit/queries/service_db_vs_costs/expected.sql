-- What each product costs its seller, added up over the days on which a cost begins. Each version is one change.
SELECT
    product_id,
    seller_id,
    count(*) AS days,
    count(*) FILTER (WHERE unit_cost_minor IS NULL) AS removed,
    sum(coalesce(unit_cost_minor, 0))::bigint AS unit_costs_minor,
    sum(version)::bigint AS changes
FROM sellers.product_costs
GROUP BY product_id, seller_id;
