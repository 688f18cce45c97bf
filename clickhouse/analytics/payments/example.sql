-- How much was taken and paid back by method, and how many attempts failed?
SELECT
    method,
    currency,
    countIf(kind = 'captured') AS captured,
    countIf(kind = 'failed') AS failed,
    sumIf(amount, kind = 'captured') AS taken
FROM analytics.payments
WHERE kind != 'refunded'
GROUP BY method, currency
ORDER BY taken DESC
