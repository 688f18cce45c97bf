-- The same from the newest change of each day, by version, and the number of changes.
SELECT
    product_id,
    seller_id,
    count() AS days,
    countIf(newest.2) AS removed,
    sumIf(newest.1, NOT newest.2) AS unit_costs_minor,
    sum(day_changes) AS changes
FROM
(
    SELECT
        product_id, seller_id, valid_from, argMax((unit_cost_minor, product_cost_set.removed), version) AS newest,
        count() AS day_changes
    FROM product_cost_set FINAL
    GROUP BY product_id, seller_id, valid_from
)
GROUP BY product_id, seller_id
