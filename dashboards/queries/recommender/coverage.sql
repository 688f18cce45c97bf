-- Products and sellers that were shown as recommendations, and the share of the products on offer.
SELECT
    offered.products AS offered_products,
    shown.products AS shown_products,
    if(offered_products > 0 AND shown_products > 0, shown_products / offered_products, NULL) AS shown_share,
    groups.sellers AS shown_sellers
FROM
(
    SELECT products
    FROM q_recommendation_health_catalogue(
        period_start = {period_start:DateTime('UTC')},
        period_end = {period_end:DateTime('UTC')},
        currency = {currency:String})
) AS offered
CROSS JOIN
(
    SELECT sum(products) AS products
    FROM q_recommendation_health_products(
        period_start = {period_start:DateTime('UTC')},
        period_end = {period_end:DateTime('UTC')},
        timezone = {timezone:String},
        currency = {currency:String},
        surface = '',
        strategy = '',
        experiment = '',
        arm = '')
    WHERE day = ''
) AS shown
CROSS JOIN
(
    SELECT countIf(dimension = 'seller' AND exposure > 0) AS sellers
    FROM q_recommendation_exposure(
        period_start = {period_start:DateTime('UTC')},
        period_end = {period_end:DateTime('UTC')},
        timezone = {timezone:String},
        currency = {currency:String},
        surface = '',
        strategy = '',
        experiment = '',
        arm = '')
) AS groups
