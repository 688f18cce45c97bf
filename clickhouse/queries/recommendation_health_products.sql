-- Exposure of products on offer by day and, as the day '', in the whole period, for coverage, Gini and popularity.
WITH
    seen AS
    (
        SELECT recommendation_id, day, visitor_id, items
        FROM q_recommendation_lists_seen(
            period_start = {period_start:DateTime64(3, 'UTC')},
            period_end = {period_end:DateTime64(3, 'UTC')},
            timezone = {timezone:String},
            surface = {surface:String},
            strategy = {strategy:String},
            experiment = {experiment:String},
            arm = {arm:String}
        )
    ),
    offers AS
    (
        SELECT product_id, seller_id, category, price_minor
        FROM q_offers_at(at = {period_end:DateTime64(3, 'UTC')}, currency = {currency:String})
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
