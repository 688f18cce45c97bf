-- The best-selling sellers of all time.
SELECT
    seller_id,
    name,
    state,
    orders AS order_count,
    revenue_minor / {minor_units:UInt32} AS net_sales
FROM q_sellers(currency = {currency:String}, asked = '', limit = 20)
