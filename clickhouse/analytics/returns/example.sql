-- Why do products come back?
SELECT reason, currency, sum(quantity) AS units, sum(refund) AS refunded
FROM analytics.returns
GROUP BY reason, currency
ORDER BY units DESC
