-- The number of sellers with a sale in a period and in the period before it.
SELECT
    minute >= {period_start:DateTime('UTC')} AS is_current,
    uniqExact(seller_id) AS active_sellers
FROM sales_lines
WHERE currency = {currency:String}
    AND kind = 'sold'
    AND minute >= {previous_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY is_current
