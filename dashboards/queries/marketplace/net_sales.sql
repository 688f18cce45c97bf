-- The net sales of the marketplace by bucket of the shop's time zone.
SELECT
    toDateTime(bucket, 'UTC') AS time,
    revenue_minor / {minor_units:UInt32} AS net_sales
FROM q_marketplace_sales(
    grain = {grain:String},
    timezone = {timezone:String},
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {period_start:DateTime('UTC')},
    compared_end = {period_start:DateTime('UTC')})
ORDER BY time
