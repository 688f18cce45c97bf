-- The payments captured in a period and in the period before it.
SELECT
    minute >= {period_start:DateTime('UTC')} AS is_current,
    minute < {compared_end:DateTime('UTC')} AS is_compared, -- in the part of the earlier period with which the current period is compared
    sum(payments) AS payments,
    sum(amount_minor) AS amount_minor
FROM payments_minute
WHERE currency = {currency:String}
    AND minute >= {previous_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY is_current, is_compared
