-- Captured payments by quarter of an hour, as the roll-up has them.
SELECT toString(start) AS quarter_hour, toString(method) AS method, toString(currency) AS currency, payments, amount_minor
FROM (SELECT quarter_hour AS start, method, currency, payments, amount_minor FROM payments_quarter_hour)
