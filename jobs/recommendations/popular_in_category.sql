-- The most wanted products of each category; what is no longer listed leaves it.
SELECT /*+ STATE_TTL('placed' = '30 d') */
  category, product_id, SUM(interest) AS score
FROM (
  SELECT /*+ STATE_TTL('interest' = '30 d', 'listings' = '36500 d') */
    listings.category, interest.product_id, interest.interest
  FROM interest
  JOIN listings ON listings.product_id = interest.product_id
  WHERE listings.listed = 1 AND listings.category IS NOT NULL
) AS placed
GROUP BY category, product_id
