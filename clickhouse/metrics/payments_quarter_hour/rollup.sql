-- The sums of the quarters of an hour that changed.
SELECT
    toStartOfFifteenMinutes(minute) AS quarter_hour,
    method,
    currency,
    sum(payments) AS payments,
    sum(amount_minor) AS amount_minor,
    {computed_at} AS computed_at
FROM payments_minute
WHERE {changed}
GROUP BY quarter_hour, method, currency
