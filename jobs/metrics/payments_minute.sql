-- Payments captured in each minute, by method.
SELECT `minute`, `method`, currency, COUNT(*) AS payments, SUM(amount_minor) AS amount_minor
FROM captured
GROUP BY `minute`, `method`, currency
