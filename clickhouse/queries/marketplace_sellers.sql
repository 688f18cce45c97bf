-- The number of sellers with a sale in a period, in the period before it, and in the part of it that is compared.
WITH
    [
        {previous_start:DateTime('UTC')},
        {compared_end:DateTime('UTC')},
        {period_start:DateTime('UTC')},
        {period_end:DateTime('UTC')}
    ] AS bounds,
    -- Whole days and hours come from the roll-ups. A day that a bound cuts comes from its hours, and an hour that a
    -- bound cuts from the sales themselves. They are given as ranges, which ClickHouse compares with its index; a
    -- range is empty if its bound is the start of a day or an hour.
    arrayMap(moment -> toStartOfDay(moment), arrayFilter(moment -> moment != toStartOfDay(moment), bounds)) AS cut_days,
    arrayMap(moment -> toStartOfHour(moment), arrayFilter(moment -> moment != toStartOfHour(moment), bounds)) AS cut_hours
SELECT
    is_current,
    uniqExact(seller_id) AS active_sellers,
    uniqExactIf(seller_id, is_compared) AS compared_sellers
FROM
(
    SELECT
        day >= {period_start:DateTime('UTC')} AS is_current,
        day < {compared_end:DateTime('UTC')} AS is_compared,
        seller_id
    FROM seller_sales_day
    WHERE currency = {currency:String}
        AND orders > 0
        AND day >= {previous_start:DateTime('UTC')}
        AND day < {period_end:DateTime('UTC')}
        AND NOT has(cut_days, day)
    UNION ALL
    SELECT
        hour >= {period_start:DateTime('UTC')} AS is_current,
        hour < {compared_end:DateTime('UTC')} AS is_compared,
        seller_id
    FROM seller_sales_hour
    WHERE currency = {currency:String}
        AND orders > 0
        AND (
            (hour >= toStartOfDay({previous_start:DateTime('UTC')}) AND hour < toStartOfDay({previous_start:DateTime('UTC')} + 86399))
            OR (hour >= toStartOfDay({compared_end:DateTime('UTC')}) AND hour < toStartOfDay({compared_end:DateTime('UTC')} + 86399))
            OR (hour >= toStartOfDay({period_start:DateTime('UTC')}) AND hour < toStartOfDay({period_start:DateTime('UTC')} + 86399))
            OR (hour >= toStartOfDay({period_end:DateTime('UTC')}) AND hour < toStartOfDay({period_end:DateTime('UTC')} + 86399))
        )
        AND hour >= {previous_start:DateTime('UTC')}
        AND hour < {period_end:DateTime('UTC')}
        AND NOT has(cut_hours, hour)
    UNION ALL
    SELECT
        minute >= {period_start:DateTime('UTC')} AS is_current,
        minute < {compared_end:DateTime('UTC')} AS is_compared,
        seller_id
    FROM sales_lines
    WHERE currency = {currency:String}
        AND kind = 'sold'
        AND (
            (minute >= toStartOfHour({previous_start:DateTime('UTC')}) AND minute < toStartOfHour({previous_start:DateTime('UTC')} + 3599))
            OR (minute >= toStartOfHour({compared_end:DateTime('UTC')}) AND minute < toStartOfHour({compared_end:DateTime('UTC')} + 3599))
            OR (minute >= toStartOfHour({period_start:DateTime('UTC')}) AND minute < toStartOfHour({period_start:DateTime('UTC')} + 3599))
            OR (minute >= toStartOfHour({period_end:DateTime('UTC')}) AND minute < toStartOfHour({period_end:DateTime('UTC')} + 3599))
        )
        AND minute >= {previous_start:DateTime('UTC')}
        AND minute < {period_end:DateTime('UTC')}
)
GROUP BY is_current
