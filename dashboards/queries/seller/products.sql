-- The selected seller's products with the most revenue in the period.
SELECT
    product_id,
    units AS unit_count,
    revenue_minor / {minor_units:UInt32} AS revenue
FROM q_seller_products(
    seller_id = {seller_id:String},
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    by = 'revenue',
    limit = 20)
