-- Exposure of offers in lists that came into view, and offers in the catalogue, by seller, category and price band.
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
    -- The prices above which the dearer four fifths of the offers begin.
    (SELECT quantilesExact(0.2, 0.4, 0.6, 0.8)(price_minor) FROM offers) AS bounds,
    -- The exposure of each offer that was shown or is in the catalogue.
    every AS
    (
        SELECT
            product_id,
            seller_id,
            sum(place_exposure) AS exposed,
            max(offered) AS is_offered,
            max(offer_category) AS category,
            max(offer_price) AS price_minor
        FROM
        (
            SELECT
                item.product_id AS product_id,
                item.seller_id AS seller_id,
                1 / log2(item.position + 1) AS place_exposure,
                0 AS offered,
                '' AS offer_category,
                0 AS offer_price
            FROM seen
            ARRAY JOIN items AS item
            UNION ALL
            SELECT product_id, seller_id, 0., 1, category, price_minor
            FROM offers
        )
        GROUP BY product_id, seller_id
    )
SELECT
    labels.1 AS dimension,
    labels.2 AS value,
    sum(exposed) AS exposure,
    sum(is_offered) AS offers,
    minIf(price_minor, is_offered = 1) AS lowest_minor,
    maxIf(price_minor, is_offered = 1) AS highest_minor
FROM
(
    SELECT
        exposed,
        is_offered,
        price_minor,
        arrayJoin([
            ('seller', seller_id),
            ('category', category),
            ('price_band', if(is_offered = 1, toString(1 + arrayCount(bound -> bound <= price_minor, bounds)), ''))
        ]) AS labels
    FROM every
)
GROUP BY dimension, value
ORDER BY dimension, exposure DESC, offers DESC, value
