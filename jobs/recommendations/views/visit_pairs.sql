-- The pairs of the first ten products of each visit, and their strength. The lesser id is first. A product also has a pair
-- with itself. The strength is the product of both weights. It is twice as high if the later product was touched 14 days
-- later (forward decay, Cormode et al. 2009; 1451606400 is 2016-01-01 UTC). A row adds a pair (sign 1) or removes it (-1).
-- The first ten products by time do not depend on the order or the repetition of events. They also limit the influence of
-- one visit, such as that of a bot, to 45 pairs of different products.
SELECT
  product_id, other_id, sign,
  sign * weight * POWER(2e0, (first_s - 1451606400) / (14 * 86400e0)) AS strength
FROM pairs_of_visits(touches => TABLE touches PARTITION BY visit_id, kept => 10)
