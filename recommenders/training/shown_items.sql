-- The items of the newest {lists:UInt64} lists that came into view and had all sources and a model, oldest first.
WITH
    -- A visitor with over 1,000 lists or 1,000 sessions is a robot.
    robots AS
    (
        SELECT visitor_id
        FROM
        (
            SELECT ifNull(shopper_id, session_id) AS visitor_id, session_id, recommendation_id AS list_id
            FROM recommendation_shown
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            UNION ALL
            SELECT ifNull(shopper_id, session_id), session_id, ''
            FROM product_viewed
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
        )
        GROUP BY visitor_id
        HAVING uniqExactIf(list_id, list_id != '') > 1000 OR uniqExact(session_id) > 1000
    ),
    newest AS
    (
        SELECT recommendation_id
        FROM recommendation_shown
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            AND recommendation_id IN
            (
                SELECT recommendation_id
                FROM recommendation_answered
                WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 1 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
                    AND (is_explored OR strategy = {strategy:String})
                    AND model_version IS NOT NULL
                    AND visitor_id NOT IN (SELECT visitor_id FROM robots)
            )
        GROUP BY recommendation_id
        ORDER BY min(occurred_at) DESC, recommendation_id
        LIMIT {lists:UInt64}
    ),
    -- Which products of these lists came into view, and when.
    shown AS
    (
        SELECT recommendation_id, min(occurred_at) AS at, argMin(items.product_id, occurred_at) AS product_ids
        FROM recommendation_shown
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            AND recommendation_id IN (SELECT recommendation_id FROM newest)
        GROUP BY recommendation_id
    ),
    clicks AS
    (
        SELECT recommendation_id, product_id, session_id, ifNull(shopper_id, session_id) AS visitor_id, occurred_at AS at
        FROM recommendation_clicked
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
    ),
    -- What visitors did to each product that was shown, with the weights of the touches of job `recommendations`.
    touches AS
    (
        SELECT product_id, ifNull(shopper_id, session_id) AS visitor_id, 'visit' AS kind, 1 AS weight, occurred_at
        FROM product_viewed
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 28 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            AND product_id IN (SELECT arrayJoin(product_ids) FROM shown)
        UNION ALL
        SELECT product_id, ifNull(shopper_id, session_id), 'visit', 2, occurred_at
        FROM cart_changed
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 28 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            AND quantity > quantity_before AND reason IS NULL AND product_id IN (SELECT arrayJoin(product_ids) FROM shown)
        UNION ALL
        SELECT line.product_id, shopper_id, 'order', 3, occurred_at
        FROM order_placed
        ARRAY JOIN lines AS line
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 28 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            AND line.product_id IN (SELECT arrayJoin(product_ids) FROM shown)
    ),
    -- The interest in each product at the end of each day with touches, as job `recommendations` counts it, which is what
    -- serving discounts by. It also counts what comes after the first ten products of a visit. A visit counts half as much
    -- as one 14 days later. Units: visits on the first day of `period_start` in which the product was viewed.
    popularity AS
    (
        SELECT
            product_id,
            day,
            sum(sum(weight * weight) * exp2(dateDiff('day', toDate({period_start:DateTime64(3, 'UTC')}), day) / 14))
                OVER (PARTITION BY product_id ORDER BY day ROWS UNBOUNDED PRECEDING) AS interest
        FROM
        (
            SELECT product_id, visitor_id, kind, toDate(occurred_at) AS day, max(weight) AS weight
            FROM touches
            WHERE visitor_id NOT IN (SELECT visitor_id FROM robots)
            GROUP BY product_id, visitor_id, kind, day
        )
        GROUP BY product_id, day
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
    )
SELECT
    list,
    visitor,
    surface,
    item.position AS position,
    ifNull(item.item_neighbours, 0) AS item_neighbours,
    ifNull(item.trained_neighbours, 0) AS trained_neighbours,
    ifNull(item.similar_content, 0) AS similar_content,
    ifNull(item.popular_in_category, 0) AS popular_in_category,
    -- Days before the list: its own clicks are views, too.
    ifNull(popularity.interest, 0) * exp2(dateDiff('day', toDate(shown_at), toDate({period_start:DateTime64(3, 'UTC')})) / 14) AS popularity,
    (recommendation_id, item.product_id) IN (SELECT recommendation_id, product_id FROM clicks) AS clicked,
    -- As in the metric attributed_orders: the product was ordered within 24 hours of the click.
    (recommendation_id, item.product_id) IN
    (
        SELECT click.recommendation_id, click.product_id
        FROM
        (
            SELECT recommendation_id, product_id, arrayJoin(arrayDistinct([visitor_id, session_id])) AS visitor_id, at
            FROM clicks
        ) AS click
        INNER JOIN purchases ON purchases.visitor_id = click.visitor_id AND purchases.product_id = click.product_id
        WHERE purchases.at >= click.at AND purchases.at < click.at + INTERVAL 24 HOUR
    ) AS bought
FROM
(
    SELECT
        answer.recommendation_id AS recommendation_id,
        answer.surface AS surface,
        shown.at AS shown_at,
        row_number() OVER (ORDER BY shown.at, answer.recommendation_id) AS list,
        dense_rank() OVER (ORDER BY answer.visitor_id) AS visitor,
        arrayFilter(
            -- The weights don't rank what no blended source proposed. A sponsored item is clicked for its label, too.
            one -> has(shown.product_ids, one.product_id) AND one.source != 'sponsored'
                AND isNotNull(coalesce(one.item_neighbours, one.trained_neighbours, one.similar_content, one.popular_in_category)),
            answer.items
        ) AS items
    FROM recommendation_answered AS answer
    INNER JOIN shown ON shown.recommendation_id = answer.recommendation_id
    WHERE answer.occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 1 DAY AND answer.occurred_at < {period_end:DateTime64(3, 'UTC')}
    LIMIT 1 BY recommendation_id
)
ARRAY JOIN items AS item
ASOF LEFT JOIN popularity ON popularity.product_id = item.product_id AND toDate(shown_at) > popularity.day
ORDER BY list, position
