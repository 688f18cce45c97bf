-- How many sellers sold something in a period and in the one before it.
SELECT
    minute >= {period_start:DateTime('UTC')} AS is_current,
    uniqExact(seller_id) AS active_sellers
FROM seller_sales_minute
WHERE currency = {currency:String}
    AND orders > 0 -- 0 where a history that begins in the middle knows a cancellation alone
    AND minute >= {previous_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY is_current
