-- Confirmed orders and the units in them, by bucket of the shop's time zone.
SELECT
    toDateTime(bucket, 'UTC') AS time,
    orders AS order_count,
    units AS unit_count
FROM q_marketplace_sales(
    grain = {grain:String},
    timezone = {timezone:String},
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {period_start:DateTime('UTC')},
    compared_end = {period_start:DateTime('UTC')})
ORDER BY time
