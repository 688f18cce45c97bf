-- How much a product is wanted: what it would score with itself, so score / SQRT(interest · interest) is the cosine of
-- two products.
SELECT /*+ STATE_TTL('visit_pairs' = '30 d') */
  product_id, SUM(strength) AS interest
FROM visit_pairs
WHERE product_id = other_id
GROUP BY product_id
HAVING SUM(sign) > 0
