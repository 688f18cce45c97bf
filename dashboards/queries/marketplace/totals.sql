-- The sales of the period, and their change against the same part of the previous period.
SELECT
    sumIf(revenue_minor, is_current) / {minor_units:UInt32} AS net_sales,
    if(net_sales_before = 0, NULL, (net_sales - net_sales_before) / abs(net_sales_before)) AS net_sales_change,
    sumIf(orders, is_current) AS order_count,
    if(orders_before = 0, NULL, order_count / orders_before - 1) AS order_change,
    if(order_count > cancelled, net_sales / (order_count - cancelled), NULL) AS average_order,
    sumIf(units, is_current) AS unit_count,
    sumIf(cancelled_orders, is_current) AS cancelled,
    sumIf(revenue_minor, is_compared AND NOT is_current) / {minor_units:UInt32} AS net_sales_before,
    sumIf(orders, is_compared AND NOT is_current) AS orders_before
FROM q_marketplace_sales(
    grain = 'hour',
    timezone = {timezone:String},
    currency = {currency:String},
    period_start = {period_start:DateTime('UTC')},
    period_end = {period_end:DateTime('UTC')},
    previous_start = {previous_start:DateTime('UTC')},
    compared_end = {compared_end:DateTime('UTC')})
