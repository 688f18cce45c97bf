-- The sales of the period, and their change against the previous period.
SELECT
    sumIf(revenue_minor, is_current) / {minor_units:UInt32} AS revenue,
    if(revenue_before = 0, NULL, revenue / revenue_before - 1) AS revenue_change,
    sumIf(orders, is_current) AS order_count,
    if(orders_before = 0, NULL, order_count / orders_before - 1) AS order_change,
    if(order_count = 0, NULL, revenue / order_count) AS average_order,
    sumIf(units, is_current) AS unit_count,
    sumIf(revenue_minor, NOT is_current) / {minor_units:UInt32} AS revenue_before,
    sumIf(orders, NOT is_current) AS orders_before
FROM q_marketplace_sales(
    grain = 'hour',
    timezone = {timezone:String},
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {previous_start:DateTime('UTC')},
    compared_end = {period_start:DateTime('UTC')})
