-- How does the average score develop?
SELECT toStartOfMonth(submitted_at) AS month, count() AS reviews, round(avg(score), 2) AS score
FROM analytics.reviews
GROUP BY month
ORDER BY month
