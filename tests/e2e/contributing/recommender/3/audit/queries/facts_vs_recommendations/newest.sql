-- The products listed last in each category, told again from the facts; equal moments by product, as Redis ranks them.
SELECT assumeNotNull(category) AS owner, product_id AS member, toFloat64(max(toUnixTimestamp(occurred_at))) AS score
FROM product_listed FINAL
WHERE category IS NOT NULL
GROUP BY owner, member
ORDER BY score DESC, member DESC
LIMIT 50 BY owner
