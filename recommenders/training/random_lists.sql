-- The newest {lists:UInt64} random lists of a period that came into view and were clicked, at most {most_of_visitor:UInt64} of a visitor.
WITH random AS
(
    SELECT recommendation_id
    FROM recommendation_answered
    WHERE is_explored AND notEmpty(seeds)
        AND occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
)
SELECT
    any(answer.visitor_id) AS visitor,
    any(answer.history) AS history,
    arraySort(groupArray((answer.place, answer.product_id, click.product_id != ''))) AS in_view,
    arrayMap(one -> one.2, in_view) AS products,
    arrayMap(one -> one.2, arrayFilter(one -> one.3, in_view)) AS clicked
FROM
(
    SELECT
        recommendation_id,
        visitor_id,
        -- The heaviest first: mostly the newest.
        seeds.product_id AS history,
        item.product_id AS product_id,
        place
    FROM
    (
        SELECT recommendation_id, visitor_id, seeds, items, alternatives
        FROM recommendation_answered
        WHERE is_explored AND notEmpty(seeds)
            AND occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
        LIMIT 1 BY recommendation_id
    )
    ARRAY JOIN items AS item, arrayEnumerate(items) AS place
    -- The model in use chose the other products. Of what it chose by mistake, no list has its like from another model, so
    -- they would make it look worse.
    WHERE arrayExists(other -> other.product_id = item.product_id AND other.strategy IN ('live', 'popular'), alternatives)
) AS answer
INNER JOIN
(
    SELECT DISTINCT recommendation_id, item.product_id AS product_id
    FROM recommendation_shown
    ARRAY JOIN items AS item
    WHERE recommendation_id IN (SELECT recommendation_id FROM random)
        AND occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
) AS shown ON shown.recommendation_id = answer.recommendation_id AND shown.product_id = answer.product_id
LEFT JOIN
(
    SELECT DISTINCT recommendation_id, product_id
    FROM recommendation_clicked
    WHERE recommendation_id IN (SELECT recommendation_id FROM random)
        AND occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
) AS click ON click.recommendation_id = answer.recommendation_id AND click.product_id = answer.product_id
GROUP BY answer.recommendation_id
HAVING notEmpty(clicked)
-- The ids of lists begin with the time (UUIDv7).
ORDER BY answer.recommendation_id DESC
LIMIT {most_of_visitor:UInt64} BY visitor
LIMIT {lists:UInt64}
