-- How much a product is wanted: over its visits the square of its weight, decayed as in `pairs`. It is what the product
-- would score with itself, so score / SQRT(interest · interest) is the cosine of two products.
SELECT /*+ STATE_TTL('visit_items' = '30 d') */
  product_id,
  SUM(weight * weight * POWER(2e0, (first_s - 1451606400) / (14 * 86400e0))) AS interest
FROM visit_items
GROUP BY product_id
