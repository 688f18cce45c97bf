-- How much two products go together, over their common visits. A pair that nobody touched for 30 days is forgotten.
SELECT /*+ STATE_TTL('visit_pairs' = '30 d') */
  product_id, other_id, SUM(strength) AS score
FROM visit_pairs
WHERE product_id <> other_id
GROUP BY product_id, other_id
HAVING SUM(sign) > 0
