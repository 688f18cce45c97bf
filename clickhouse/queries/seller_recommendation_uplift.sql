-- Sums of a seller's revenue over the visitors of the hold-out and over all others who saw recommendations.
WITH
    -- A visitor who was seen in both has the arm ''. A robot, with over 1,000 lists, is left out.
    units AS
    (
        SELECT
            answer.visitor_id AS unit,
            if(uniqExact(answer.arm) > 1, '', any(answer.arm)) AS arm,
            min(shown.occurred_at) AS exposed_at
        FROM recommendation_shown AS shown
        INNER JOIN
        (
            SELECT recommendation_id, visitor_id, if(experiment = 'holdout', 'holdout', 'recommended') AS arm
            FROM recommendation_answered
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 1 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
                -- Not titled rows, which the hold-out never gets.
                AND strategy IN ('live', 'trained', 'blend', 'popular')
        ) AS answer ON answer.recommendation_id = shown.recommendation_id
        WHERE shown.occurred_at >= {period_start:DateTime64(3, 'UTC')} AND shown.occurred_at < {period_end:DateTime64(3, 'UTC')}
        GROUP BY unit
        HAVING uniqExact(shown.recommendation_id) <= 1000
    ),
    -- Net revenue of each order from this seller: cancelled and returned amounts are negative rows.
    orders AS
    (
        SELECT order_id, sum(revenue_minor) AS revenue
        FROM sales_lines
        WHERE seller_id = {seller_id:String} AND currency = {currency:String}
            AND minute >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 14 DAY AND minute < {period_end:DateTime64(3, 'UTC')}
        GROUP BY order_id
    ),
    purchases AS
    (
        SELECT
            arrayJoin(arrayDistinct([placed.shopper_id, ifNull(placed.session_id, placed.shopper_id)])) AS unit,
            placed.occurred_at AS at,
            orders.revenue AS revenue
        FROM (
            SELECT order_id, shopper_id, session_id, occurred_at FROM order_placed
            WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} - INTERVAL 14 DAY AND occurred_at < {period_end:DateTime64(3, 'UTC')}
                AND order_id IN (SELECT order_id FROM orders)
            LIMIT 1 BY order_id
        ) AS placed
        INNER JOIN orders ON orders.order_id = placed.order_id
    )
SELECT
    arm,
    count() AS units,
    sum(revenue_after) AS y,
    sum(revenue_before) AS c,
    sum(revenue_after * revenue_after) AS yy,
    sum(revenue_before * revenue_before) AS cc,
    sum(revenue_after * revenue_before) AS yc
FROM
(
    SELECT
        units.unit AS unit,
        any(units.arm) AS arm,
        toFloat64(ifNull(sumIf(purchases.revenue, ifNull(purchases.at >= units.exposed_at, false)), 0)) AS revenue_after,
        toFloat64(ifNull(sumIf(purchases.revenue, ifNull(purchases.at < units.exposed_at
            AND purchases.at >= units.exposed_at - INTERVAL 14 DAY, false)), 0)) AS revenue_before
    FROM units
    LEFT JOIN purchases ON purchases.unit = units.unit
    GROUP BY unit
)
GROUP BY arm
ORDER BY arm
