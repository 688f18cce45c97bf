-- Reviews by minute and score.
SELECT minute, score, count() AS reviews
FROM {table} FINAL
GROUP BY minute, score
