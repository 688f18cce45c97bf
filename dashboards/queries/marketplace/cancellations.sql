-- The share of the confirmed orders of each bucket that were cancelled later.
SELECT
    toDateTime(bucket, 'UTC') AS time,
    if(orders = 0, NULL, cancelled_orders / orders) AS cancelled_share
FROM q_marketplace_sales(
    grain = {grain:String},
    timezone = {timezone:String},
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {period_start:DateTime('UTC')},
    compared_end = {period_start:DateTime('UTC')})
ORDER BY time
