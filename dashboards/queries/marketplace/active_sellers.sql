-- How many sellers sold something in the period, and in the previous period.
SELECT
    sumIf(active_sellers, is_current) AS sellers,
    sumIf(active_sellers, NOT is_current) AS sellers_before
FROM q_marketplace_sellers(
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {previous_start:DateTime('UTC')},
    compared_end = {period_start:DateTime('UTC')})
