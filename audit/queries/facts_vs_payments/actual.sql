-- Payments by minute and method, as ClickHouse derives them.
SELECT
    toString(minute) AS minute, toString(method) AS method, toString(currency) AS currency, payments, amount_minor
FROM payments_minute
