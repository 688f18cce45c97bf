-- Sellers' share of exposure beside their share of the offers, the most exposed first.
SELECT
    value AS seller_id,
    exposure / sum(exposure) OVER () AS exposure_share,
    offers / sum(offers) OVER () AS catalogue_share,
    if(catalogue_share > 0, exposure_share / catalogue_share, NULL) AS ratio
FROM q_recommendation_exposure(
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    timezone = {timezone:String},
    currency = {currency:String},
    surface = '',
    strategy = '',
    experiment = '',
    arm = '')
WHERE dimension = 'seller'
ORDER BY exposure DESC, offers DESC, seller_id
LIMIT 20
