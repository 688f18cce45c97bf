-- Exposure of products on offer by day and, as the day '', in the whole period, for coverage, Gini and popularity.
WITH
    -- Lists that came into view. A visitor with over 1,000 of them on one day is a robot, whose lists of that day are left out.
    seen AS
    (
        SELECT recommendation_id, day, visitor_id, items
        FROM
        (
            SELECT *, count() OVER (PARTITION BY visitor_id, day) AS lists
            FROM
            (
                SELECT
                    recommendation_id,
                    toString(toDate(occurred_at, {timezone:String})) AS day,
                    visitor_id,
                    items,
                    ({surface:String} = '' OR surface = {surface:String})
                        AND ({strategy:String} = '' OR strategy = {strategy:String})
                        AND ({experiment:String} = '' OR ifNull(experiment, '') = {experiment:String})
                        AND ({arm:String} = '' OR ifNull(arm, '') = {arm:String}) AS is_wanted
                FROM recommendation_answered
                WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
                    AND recommendation_id IN (
                        SELECT recommendation_id FROM recommendation_shown
                        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')}
                            AND occurred_at < {period_end:DateTime64(3, 'UTC')} + INTERVAL 1 DAY
                    )
                LIMIT 1 BY recommendation_id
            )
        )
        WHERE is_wanted AND lists <= 1000
    ),
    -- The newest listing, change or delisting of each offer before the end of the period.
    newest AS
    (
        SELECT product_id, seller_id, category, currency, price_minor, is_listed
        FROM
        (
            SELECT product_id, seller_id, occurred_at, event_id, ifNull(category, '') AS category, currency, price_minor, true AS is_listed
            FROM product_listed
            WHERE occurred_at < {period_end:DateTime64(3, 'UTC')}
            UNION ALL
            SELECT product_id, seller_id, occurred_at, event_id, ifNull(category, ''), currency, price_minor, true
            FROM product_changed
            WHERE occurred_at < {period_end:DateTime64(3, 'UTC')}
            UNION ALL
            SELECT product_id, seller_id, occurred_at, event_id, '', '', 0, false
            FROM product_delisted
            WHERE occurred_at < {period_end:DateTime64(3, 'UTC')}
        )
        ORDER BY product_id, seller_id, occurred_at DESC, event_id DESC
        LIMIT 1 BY product_id, seller_id
    ),
    offers AS
    (
        SELECT product_id, seller_id, category, price_minor
        FROM newest
        WHERE is_listed AND currency = {currency:String}
    ),
    exposures AS
    (
        SELECT day, product_id, sum(place_exposure) AS exposure
        FROM
        (
            SELECT
                arrayJoin(['', day]) AS day,
                item.product_id AS product_id,
                1 / log2(item.position + 1) AS place_exposure
            FROM seen
            ARRAY JOIN items AS item
        )
        WHERE product_id IN (SELECT product_id FROM offers)
        GROUP BY day, product_id
    ),
    -- Visits that viewed a product, so that one visitor's repeated views count once.
    views AS
    (
        SELECT product_id, uniqExact(session_id) AS visits
        FROM product_viewed
        WHERE occurred_at >= {period_start:DateTime64(3, 'UTC')} AND occurred_at < {period_end:DateTime64(3, 'UTC')}
        GROUP BY product_id
    )
SELECT
    day,
    count() AS products,
    sum(part) AS exposure,
    sum(rank * part) AS ranked,
    sum(part * visits) AS weighted_visits
FROM
(
    SELECT
        exposures.day AS day,
        exposures.exposure AS part,
        row_number() OVER (PARTITION BY exposures.day ORDER BY exposures.exposure, exposures.product_id) AS rank,
        ifNull(views.visits, 0) AS visits
    FROM exposures
    LEFT JOIN views ON views.product_id = exposures.product_id
)
GROUP BY day
ORDER BY day
