-- The number of sellers with a sale in a period, in the period before it, and in the part of it that is compared.
WITH
    -- Whole hours come from the roll-up; hours that a bound cuts come from the sales themselves.
    arrayMap(
        moment -> toStartOfHour(moment),
        arrayFilter(
            moment -> moment != toStartOfHour(moment),
            [
                {previous_start:DateTime('UTC')},
                {compared_end:DateTime('UTC')},
                {period_start:DateTime('UTC')},
                {period_end:DateTime('UTC')}
            ]
        )
    ) AS cut_hours
SELECT
    is_current,
    uniqExact(seller_id) AS active_sellers,
    uniqExactIf(seller_id, is_compared) AS compared_sellers
FROM
(
    SELECT
        hour >= {period_start:DateTime('UTC')} AS is_current,
        hour < {compared_end:DateTime('UTC')} AS is_compared,
        seller_id
    FROM seller_sales_hour
    WHERE currency = {currency:String}
        AND orders > 0
        AND hour >= {previous_start:DateTime('UTC')}
        AND hour < {period_end:DateTime('UTC')}
        AND NOT has(cut_hours, hour)
    UNION ALL
    SELECT
        minute >= {period_start:DateTime('UTC')} AS is_current,
        minute < {compared_end:DateTime('UTC')} AS is_compared,
        seller_id
    FROM sales_lines
    WHERE notEmpty(cut_hours)
        AND currency = {currency:String}
        AND kind = 'sold'
        AND has(cut_hours, toStartOfHour(minute))
        AND minute >= {previous_start:DateTime('UTC')}
        AND minute < {period_end:DateTime('UTC')}
)
GROUP BY is_current
