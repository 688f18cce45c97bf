-- Reviews by minute and score, as job metrics keeps them.
SELECT toString(minute) AS minute, score, reviews
FROM reviews_minute FINAL
