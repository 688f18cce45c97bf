-- Exposure of offers in lists that came into view, and offers in the catalogue, by seller, category and price band.
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
