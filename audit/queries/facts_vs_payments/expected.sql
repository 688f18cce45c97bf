-- Payments by minute and method, from the facts.
SELECT
    toString(toStartOfMinute(occurred_at)) AS minute, toString(method) AS method, toString(currency) AS currency,
    count() AS payments, sum(amount_minor) AS amount_minor
FROM payment_captured FINAL
GROUP BY minute, method, currency
