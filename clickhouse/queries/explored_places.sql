-- The newest places of random lists that came into view: what each showed, whether it was clicked, what strategies would show.
WITH arrayFilter(one -> one.position = answer.item.position, answer.alternatives) AS here
SELECT
    answer.recommendation_id AS recommendation_id,
    answer.visitor_id AS visitor_id,
    answer.item.position AS position,
    answer.item.product_id AS product_id,
    answer.item.propensity AS propensity,
    ifNull(click.recommendation_id, '') != '' AS clicked,
    mapFromArrays(arrayMap(one -> one.strategy, here), arrayMap(one -> one.product_id, here)) AS strategies
FROM
(
    SELECT recommendation_id, visitor_id, alternatives, item
    FROM
    (
        SELECT recommendation_id, visitor_id, alternatives, items
        FROM recommendation_answered
        WHERE is_explored
            AND occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            AND recommendation_id IN (
                SELECT recommendation_id FROM recommendation_shown
                WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')}
            )
        LIMIT 1 BY recommendation_id
    )
    ARRAY JOIN items AS item
    -- The ids of lists begin with the time (UUIDv7).
    ORDER BY recommendation_id DESC, item.position
    LIMIT {most_of_visitor:UInt64} BY visitor_id
) AS answer
LEFT JOIN
(
    SELECT DISTINCT recommendation_id, product_id
    FROM recommendation_clicked
    WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')}
) AS click ON click.recommendation_id = answer.recommendation_id AND click.product_id = answer.item.product_id
ORDER BY recommendation_id DESC, position
LIMIT {most:UInt64}
