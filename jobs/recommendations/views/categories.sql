-- The categories in which sellers offer each product now.
SELECT /*+ STATE_TTL('listed_offers' = '36500 d') */
  product_id, category
FROM (
  SELECT product_id, category FROM offers WHERE listed = 1 AND category IS NOT NULL
) AS listed_offers
GROUP BY product_id, category
