-- The selected seller's revenue, and the amount of cancelled goods, by bucket of the shop's time zone.
SELECT
    toDateTime(bucket, 'UTC') AS time,
    revenue_minor / {minor_units:UInt32} AS revenue,
    (cancelled_gross_minor - cancelled_discount_minor) / {minor_units:UInt32} AS cancelled_revenue
FROM q_seller_sales(
    seller_id = {seller_id:String},
    grain = {grain:String},
    timezone = {timezone:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {period_start:DateTime('UTC')},
    compared_end = {period_start:DateTime('UTC')})
WHERE currency = {currency:String}
ORDER BY time
