-- How does the average score of published reviews develop, and how many of them did sellers answer?
SELECT toStartOfMonth(submitted_at) AS month, count() AS reviews, round(avg(score), 2) AS score, countIf(answered_at IS NOT NULL) AS answered
FROM analytics.reviews
WHERE status = 'published'
GROUP BY month
ORDER BY month
