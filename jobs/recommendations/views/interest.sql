-- The interest in a product: the score of its pair with itself. The cosine similarity of two products is their score
-- divided by the square root of the product of their interests. `visits` says how many visits the interest is of, each
-- of which counts 1, whenever it was and whatever was done.
SELECT /*+ STATE_TTL('visit_pairs' = '30 d') */
  product_id, exact_sum(strength) AS interest, SUM(sign) AS visits
FROM visit_pairs
WHERE product_id = other_id
GROUP BY product_id
HAVING SUM(sign) > 0
