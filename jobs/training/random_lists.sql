-- The newest {lists:UInt64} random lists of a period that came into view and were clicked, at most {most_of_visitor:UInt64} of a visitor.
WITH random AS
(
    SELECT recommendation_id
    FROM recommendation_answered
    WHERE is_explored AND notEmpty(seeds)
        AND occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
)
SELECT
    answer.visitor_id AS visitor,
    -- The heaviest first: mostly the newest.
    answer.seeds.product_id AS history,
    -- The model in use chose the other products. Of what it chose by mistake, no list has its like from another model, so
    -- they would make it look worse.
    arrayFilter(one -> has(shown.product_ids, one.product_id)
        AND arrayExists(other -> other.product_id = one.product_id AND other.strategy IN ('live', 'popular'), answer.alternatives),
        answer.items).product_id AS products,
    arrayIntersect(products, clicked.product_ids) AS clicked
FROM
(
    SELECT recommendation_id, visitor_id, seeds, items, alternatives
    FROM recommendation_answered
    WHERE is_explored AND notEmpty(seeds)
        AND occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
    LIMIT 1 BY recommendation_id
) AS answer
INNER JOIN
(
    SELECT recommendation_id, groupUniqArrayArray(items.product_id) AS product_ids
    FROM recommendation_shown
    WHERE recommendation_id IN (SELECT recommendation_id FROM random)
        AND occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
    GROUP BY recommendation_id
) AS shown ON shown.recommendation_id = answer.recommendation_id
INNER JOIN
(
    SELECT recommendation_id, groupUniqArray(product_id) AS product_ids
    FROM recommendation_clicked
    WHERE recommendation_id IN (SELECT recommendation_id FROM random)
        AND occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
    GROUP BY recommendation_id
) AS clicked ON clicked.recommendation_id = answer.recommendation_id
WHERE notEmpty(clicked)
-- The ids of lists begin with the time (UUIDv7).
ORDER BY answer.recommendation_id DESC
LIMIT {most_of_visitor:UInt64} BY visitor
LIMIT {lists:UInt64}
