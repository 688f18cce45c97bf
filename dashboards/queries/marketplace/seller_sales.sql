-- What the chosen seller sold, and what of it was cancelled later, by bucket of the shop's time zone.
SELECT
    toDateTime(bucket, 'UTC') AS time,
    (sold.gross_minor - sold.discount_minor) / {minor_units:UInt32} AS revenue,
    cancelled.gross_minor / {minor_units:UInt32} AS cancelled_revenue
FROM q_seller_sales(
    seller_id = {seller_id:String},
    grain = {grain:String},
    timezone = {timezone:String},
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {period_start:DateTime('UTC')}) AS sold
LEFT JOIN q_seller_cancellations(
    seller_id = {seller_id:String},
    grain = {grain:String},
    timezone = {timezone:String},
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {period_start:DateTime('UTC')}) AS cancelled USING (bucket)
ORDER BY time
