-- Sums over the visitors of each arm of an experiment, by metric, from which intervals are computed.
WITH
    -- Each shown list of the experiment. The hold-out is compared with all other visitors.
    shown_lists AS
    (
        SELECT
            shown.recommendation_id AS list_id,
            any(answer.visitor_id) AS unit,
            any(if({experiment:String} = 'holdout', if(answer.experiment = 'holdout', 'holdout', 'recommended'), ifNull(answer.arm, '')))
                AS arm,
            min(shown.occurred_at) AS at
        FROM recommendation_shown AS shown
        INNER JOIN
        (
            SELECT recommendation_id, visitor_id, experiment, arm
            FROM recommendation_answered
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 1 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
                AND ({experiment:String} = 'holdout' OR experiment = {experiment:String})
                -- Not titled rows, which the hold-out never gets.
                AND strategy IN ('live', 'trained', 'blend', 'popular')
        ) AS answer ON answer.recommendation_id = shown.recommendation_id
        WHERE shown.occurred_at >= {period_start:DateTime64(3, 'UTC')} AND shown.occurred_at < {period_end:DateTime64(3, 'UTC')}
        GROUP BY list_id
    ),
    -- A visitor who was seen in two arms has the arm '', and counts in none. A robot, with over 1,000 lists, is left out.
    units AS
    (
        SELECT
            unit,
            if(uniqExact(arm) > 1, '', any(arm)) AS arm,
            min(at) AS exposed_at,
            count() AS lists,
            countIf(list_id IN (
                SELECT recommendation_id FROM recommendation_clicked
                WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            )) AS clicked
        FROM shown_lists
        GROUP BY unit
        HAVING lists <= 1000
    ),
    -- What visitors did: a row for each view, shown list, clicked list and order.
    activity AS
    (
        SELECT ifNull(shopper_id, session_id) AS unit, session_id, occurred_at AS at, '' AS order_id, 0 AS revenue, '' AS clicked_id
        FROM product_viewed
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT ifNull(shopper_id, session_id), session_id, occurred_at, '', 0, ''
        FROM recommendation_shown
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT ifNull(shopper_id, session_id), session_id, occurred_at, '', 0, recommendation_id
        FROM recommendation_clicked
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 14 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
        UNION ALL
        -- An order belongs to its shopper, and to the session in which it was placed if a guest saw lists there.
        SELECT
            arrayJoin(arrayDistinct([placed.shopper_id, ifNull(placed.session_id, placed.shopper_id)])),
            ifNull(placed.session_id, placed.order_id),
            placed.occurred_at,
            placed.order_id,
            sale.revenue,
            ''
        FROM
        (
            SELECT order_id, shopper_id, session_id, occurred_at FROM order_placed
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 14 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
            LIMIT 1 BY order_id
        ) AS placed
        INNER JOIN
        (
            SELECT order_id, sum(revenue_minor) AS revenue
            FROM sales_orders
            WHERE currency = {currency:String}
                AND minute >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 14 DAY AND minute < {period_end:DateTime64(3, 'UTC')}
            GROUP BY order_id
        ) AS sale ON sale.order_id = placed.order_id
    ),
    per_unit AS
    (
        SELECT
            activity.unit AS unit,
            any(units.arm) AS arm,
            any(units.lists) AS lists,
            any(units.clicked) AS clicked,
            uniqExactIf(activity.session_id, activity.at >= units.exposed_at) AS sessions,
            uniqExactIf(activity.session_id, activity.order_id != '' AND activity.at >= units.exposed_at) AS converting,
            sumIf(activity.revenue, activity.at >= units.exposed_at) AS revenue,
            uniqExactIf(activity.session_id, activity.order_id != '' AND activity.at < units.exposed_at
                AND activity.at >= units.exposed_at - INTERVAL 14 DAY) AS converting_before,
            sumIf(activity.revenue, activity.at < units.exposed_at AND activity.at >= units.exposed_at - INTERVAL 14 DAY)
                AS revenue_before,
            uniqExactIf(activity.clicked_id, activity.clicked_id != '' AND activity.at < units.exposed_at
                AND activity.at >= units.exposed_at - INTERVAL 14 DAY) AS clicked_before
        FROM activity
        INNER JOIN units ON units.unit = activity.unit
        GROUP BY unit
        HAVING sessions BETWEEN 1 AND 1000
    )
SELECT
    arm,
    values.1 AS metric,
    count() AS units,
    sum(values.2) AS y,
    sum(values.3) AS d,
    sum(values.4) AS c,
    sum(values.2 * values.2) AS yy,
    sum(values.3 * values.3) AS dd,
    sum(values.4 * values.4) AS cc,
    sum(values.2 * values.3) AS yd,
    sum(values.2 * values.4) AS yc,
    sum(values.3 * values.4) AS dc
FROM per_unit
ARRAY JOIN
    [
        ('conversion', toFloat64(converting), toFloat64(sessions), toFloat64(converting_before)),
        ('revenue', toFloat64(revenue), toFloat64(sessions), toFloat64(revenue_before)),
        ('click_rate', toFloat64(clicked), toFloat64(lists), toFloat64(clicked_before))
    ] AS values
GROUP BY arm, metric
ORDER BY arm, metric
