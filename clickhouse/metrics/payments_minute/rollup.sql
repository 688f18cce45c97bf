-- The sums of the minutes that changed.
SELECT
    minute,
    method,
    currency,
    count() AS payments,
    sum(captured_payments.amount_minor) AS amount_minor,
    {computed_at} AS computed_at
FROM captured_payments
WHERE {changed}
GROUP BY minute, method, currency
