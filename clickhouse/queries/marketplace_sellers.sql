-- The number of sellers with a sale in a period and in the period before it.
SELECT
    minute >= {period_start:DateTime('UTC')} AS is_current,
    uniqExact(seller_id) AS active_sellers
FROM seller_sales_minute
WHERE currency = {currency:String}
    AND orders > 0 -- 0 if the history has only the cancellation of an order, not the order
    AND minute >= {previous_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY is_current
