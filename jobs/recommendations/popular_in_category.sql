-- The interest in the products of each category. A product leaves a category when no seller offers it there any more.
SELECT /*+ STATE_TTL('placed' = '30 d') */
  category, product_id, SUM(interest) AS score
FROM (
  SELECT /*+ STATE_TTL('interest' = '30 d', 'categories' = '36500 d') */
    categories.category, interest.product_id, interest.interest
  FROM interest
  JOIN categories ON categories.product_id = interest.product_id
) AS placed
GROUP BY category, product_id
