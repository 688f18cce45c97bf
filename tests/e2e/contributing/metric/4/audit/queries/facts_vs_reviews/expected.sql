-- Reviews by minute and score, counted again from the facts.
SELECT toString(toStartOfMinute(occurred_at)) AS minute, score, count() AS reviews
FROM review_submitted FINAL
GROUP BY minute, score
