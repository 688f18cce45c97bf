-- How many sellers are there in each state?
SELECT state, count() AS sellers, count(approved_at) AS approved
FROM analytics.sellers
GROUP BY state
ORDER BY sellers DESC
