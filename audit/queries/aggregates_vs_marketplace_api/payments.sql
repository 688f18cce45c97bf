-- Captured payments in each month of the shop, from the aggregates.
SELECT
    formatDateTime(minute, {bucket:String}, {timezone:String}) AS bucket,
    sum(payments_minute.payments) AS payments,
    sum(payments_minute.amount_minor) AS amount_minor
FROM payments_minute
WHERE currency = {currency:String}
GROUP BY bucket
