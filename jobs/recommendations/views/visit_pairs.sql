-- The pairs (the lesser id first, a product with itself too) of the first ten products of each visit, and how strong each
-- is: the product of both weights, worth twice one 14 days earlier by the later of the two (forward decay, Cormode et
-- al. 2009; 1451606400 is 2016-01-01 UTC). A pair is told when it is made (sign 1) and when it is taken back (-1).
-- MIN, MAX and the first ten by time are the same whatever order events come in, and however often. Ten also
-- bound what one visit can do, a robot's or a hoarder's too: 45 pairs.
SELECT
  product_id, other_id, sign,
  sign * weight * POWER(2e0, (first_s - 1451606400) / (14 * 86400e0)) AS strength
FROM pairs_of_visits(touches => TABLE touches PARTITION BY visit_id, kept => 10)
