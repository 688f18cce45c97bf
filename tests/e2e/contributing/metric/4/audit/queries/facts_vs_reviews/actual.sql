-- Reviews by minute and score, as ClickHouse derives them.
SELECT toString(minute) AS minute, score, reviews
FROM reviews_minute
