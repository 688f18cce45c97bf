-- The newest {limit:UInt64} items of lists that came into view and blended all sources, or were random, oldest first.
WITH
    -- Which products of a list came into view, and when.
    shown AS
    (
        SELECT recommendation_id, min(occurred_at) AS at, groupUniqArrayArray(items.product_id) AS product_ids
        FROM recommendation_shown
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
        GROUP BY recommendation_id
    ),
    clicks AS
    (
        SELECT recommendation_id, product_id, session_id, ifNull(shopper_id, session_id) AS visitor_id, occurred_at AS at
        FROM recommendation_clicked
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
    ),
    -- Each product of each confirmed order, once for the shopper and once for the session.
    purchases AS
    (
        SELECT
            arrayJoin(arrayDistinct([placed.shopper_id, ifNull(placed.session_id, placed.shopper_id)])) AS visitor_id,
            line.product_id AS product_id,
            placed.occurred_at AS at
        FROM order_placed AS placed
        ARRAY JOIN placed.lines AS line
        WHERE placed.occurred_at >= {period_start:DateTime64(3, 'UTC')} AND placed.occurred_at < {period_end:DateTime64(3, 'UTC')}
            AND placed.order_id IN (SELECT order_id FROM order_confirmed WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')})
    ),
    -- A visitor with over 1,000 lists or 1,000 sessions is a robot.
    robots AS
    (
        SELECT visitor_id
        FROM
        (
            SELECT visitor_id, recommendation_id AS list_id, '' AS session_id
            FROM recommendation_answered
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 1 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
                AND recommendation_id IN (SELECT recommendation_id FROM shown)
            UNION ALL
            SELECT ifNull(shopper_id, session_id), '', session_id
            FROM product_viewed
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            UNION ALL
            SELECT ifNull(shopper_id, session_id), '', session_id
            FROM recommendation_shown
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
        )
        GROUP BY visitor_id
        HAVING uniqExactIf(list_id, list_id != '') > 1000 OR uniqExactIf(session_id, session_id != '') > 1000
    )
SELECT surface, position, item_neighbours, trained_neighbours, similar_content, clicked, bought
FROM
(
    SELECT
        answer.surface AS surface,
        answer.item.position AS position,
        ifNull(answer.item.item_neighbours, 0) AS item_neighbours,
        ifNull(answer.item.trained_neighbours, 0) AS trained_neighbours,
        ifNull(answer.item.similar_content, 0) AS similar_content,
        (answer.recommendation_id, answer.item.product_id) IN (SELECT recommendation_id, product_id FROM clicks) AS clicked,
        -- As in the metric attributed_orders: the product was ordered within 24 hours of the click.
        (answer.recommendation_id, answer.item.product_id) IN
        (
            SELECT click.recommendation_id, click.product_id
            FROM
            (
                SELECT recommendation_id, product_id, arrayJoin(arrayDistinct([visitor_id, session_id])) AS visitor_id, at
                FROM clicks
            ) AS click
            INNER JOIN purchases ON purchases.visitor_id = click.visitor_id AND purchases.product_id = click.product_id
            WHERE purchases.at >= click.at AND purchases.at < click.at + INTERVAL 24 HOUR
        ) AS bought,
        shown.at AS shown_at,
        answer.recommendation_id AS recommendation_id
    FROM
    (
        SELECT recommendation_id, surface, item
        FROM
        (
            SELECT recommendation_id, surface, items
            FROM recommendation_answered
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 1 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
                AND (is_explored OR strategy = {strategy:String})
                AND visitor_id NOT IN (SELECT visitor_id FROM robots)
            LIMIT 1 BY recommendation_id
        )
        ARRAY JOIN items AS item
    ) AS answer
    INNER JOIN shown ON shown.recommendation_id = answer.recommendation_id
    WHERE has(shown.product_ids, answer.item.product_id)
        -- Rules and fallbacks placed the others: the weights do not rank them, or their label is why they are clicked.
        AND answer.item.source != 'sponsored'
        AND isNotNull(coalesce(answer.item.item_neighbours, answer.item.trained_neighbours, answer.item.similar_content))
    ORDER BY shown_at DESC, recommendation_id, position
    LIMIT {limit:UInt64}
)
ORDER BY shown_at, recommendation_id, position
