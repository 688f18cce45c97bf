-- The products listed last in each category, from the facts; equal times are ordered by product, as in Redis.
SELECT assumeNotNull(category) AS owner, product_id AS member, toFloat64(max(toUnixTimestamp(occurred_at))) AS score
FROM product_listed FINAL
WHERE category IS NOT NULL
GROUP BY owner, member
ORDER BY score DESC, member DESC
LIMIT 50 BY owner
