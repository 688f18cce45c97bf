-- The payments captured in a period and in the period before it.
WITH
    -- Whole quarters of an hour come from the roll-up; those that a bound cuts come from the minutes.
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
    sum(payments) AS payments,
    sum(amount_minor) AS amount_minor
FROM
(
    SELECT quarter_hour AS moment, payments, amount_minor
    FROM payments_quarter_hour
    WHERE currency = {currency:String}
        AND quarter_hour >= {previous_start:DateTime('UTC')}
        AND quarter_hour < {period_end:DateTime('UTC')}
        AND NOT has(cut_quarters, quarter_hour)
    UNION ALL
    SELECT minute AS moment, payments, amount_minor
    FROM payments_minute
    WHERE notEmpty(cut_quarters)
        AND currency = {currency:String}
        AND has(cut_quarters, toStartOfFifteenMinutes(minute))
        AND minute >= {previous_start:DateTime('UTC')}
        AND minute < {period_end:DateTime('UTC')}
)
GROUP BY is_current, is_compared
