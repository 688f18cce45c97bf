-- The score of two products over their common visits. The state of a pair expires 30 days after its last change.
SELECT /*+ STATE_TTL('visit_pairs' = '30 d') */
  product_id, other_id, exact_sum(strength) AS score
FROM visit_pairs
WHERE product_id <> other_id
GROUP BY product_id, other_id
HAVING SUM(sign) > 0
