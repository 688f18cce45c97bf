-- How many sellers sold something in the period, and in the same part of the previous one.
SELECT
    sumIf(active_sellers, is_current) AS sellers,
    sumIf(compared_sellers, NOT is_current) AS sellers_before
FROM q_marketplace_sellers(
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {previous_start:DateTime('UTC')},
    compared_end = {compared_end:DateTime('UTC')})
