-- Sales of the marketplace in a period and in the period before it, and their cancellations and returns, by bucket.
WITH
    -- Whole quarters of an hour come from the roll-up; those that a bound cuts come from the minutes. No time
    -- zone's hour begins within a quarter.
    arrayMap(
        moment -> toStartOfFifteenMinutes(moment),
        arrayFilter(
            moment -> moment != toStartOfFifteenMinutes(moment),
            [
                {previous_start:DateTime('UTC')},
                {compared_end:DateTime('UTC')},
                {period_start:DateTime('UTC')},
                {period_end:DateTime('UTC')}
            ]
        )
    ) AS cut_quarters
SELECT
    moment >= {period_start:DateTime('UTC')} AS is_current,
    moment < {compared_end:DateTime('UTC')} AS is_compared, -- in the part of the earlier period with which the current period is compared
    toUnixTimestamp(toDateTime(dateTrunc({grain:String}, moment, {timezone:String}), {timezone:String})) AS bucket,
    sum(orders) AS orders,
    sum(lines) AS lines,
    sum(units) AS units,
    sum(gross_minor) AS gross_minor,
    sum(discount_minor) AS discount_minor,
    sum(shipping_minor) AS shipping_minor,
    sum(cancelled_orders) AS cancelled_orders,
    sum(cancelled_units) AS cancelled_units,
    sum(cancelled_gross_minor) AS cancelled_gross_minor,
    sum(cancelled_discount_minor) AS cancelled_discount_minor,
    sum(cancelled_shipping_minor) AS cancelled_shipping_minor,
    sum(returned_units) AS returned_units,
    sum(returned_minor) AS returned_minor,
    sum(revenue_minor) AS revenue_minor
FROM
(
    SELECT quarter_hour AS moment, * EXCEPT (quarter_hour)
    FROM marketplace_sales_quarter_hour
    WHERE currency = {currency:String}
        AND quarter_hour >= {previous_start:DateTime('UTC')}
        AND quarter_hour < {period_end:DateTime('UTC')}
        AND NOT has(cut_quarters, quarter_hour)
    UNION ALL
    SELECT minute AS moment, * EXCEPT (minute)
    FROM marketplace_sales_minute
    WHERE notEmpty(cut_quarters)
        AND currency = {currency:String}
        AND has(cut_quarters, toStartOfFifteenMinutes(minute))
        AND minute >= {previous_start:DateTime('UTC')}
        AND minute < {period_end:DateTime('UTC')}
)
GROUP BY is_current, is_compared, bucket
