-- How much two products (the lesser id first) go together: over their common visits the product of both weights, each
-- worth twice one 14 days earlier (forward decay, Cormode et al. 2009; 1451606400 is 2016-01-01 UTC).
-- A pair that nobody touched for 30 days is forgotten.
SELECT /*+ STATE_TTL('both' = '30 d') */
  product_id, other_id, SUM(strength) AS score
FROM (
  SELECT
    a.product_id, b.product_id AS other_id,
    a.weight * b.weight * POWER(2e0, (GREATEST(a.first_s, b.first_s) - 1451606400) / (14 * 86400e0)) AS strength
  FROM visit_items AS a
  JOIN visit_items AS b ON a.visit_id = b.visit_id AND a.product_id < b.product_id
) AS `both`
GROUP BY product_id, other_id
