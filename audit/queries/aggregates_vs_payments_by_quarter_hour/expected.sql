-- Captured payments by quarter of an hour, from those by minute.
SELECT
    toString(toStartOfFifteenMinutes(minute)) AS quarter_hour, toString(method) AS method, toString(currency) AS currency,
    sum(payments_minute.payments) AS payments, sum(payments_minute.amount_minor) AS amount_minor
FROM payments_minute
GROUP BY quarter_hour, method, currency
