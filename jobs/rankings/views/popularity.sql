-- The decayed sum of the units sold of each product: a unit weighs twice as much as a unit sold a half-life earlier
-- (forward decay, Cormode et al. 2009). The sum is expressed as a time (docs/architecture.md, Redis), so it never overflows,
-- and rankings stay correct without updates.
-- The sum of a product that was not sold for 400 days is forgotten: by then it has lost 9,999 of 10,000 parts of its weight.
SELECT /*+ STATE_TTL('sales' = '400 d') */
  product_id,
  decayed_sum(units, placed_s, 30) AS popular,
  decayed_sum(units, placed_s, 7) AS trending
FROM (
  SELECT line.product_id, CAST(line.quantity AS BIGINT) AS units, unix_s(sold.placed_at) AS placed_s
  FROM sold
  CROSS JOIN UNNEST(sold.lines) AS line
  WHERE line.quantity > 0
) AS sales
GROUP BY product_id
