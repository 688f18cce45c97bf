-- The decayed sum of the units sold of each product: a unit weighs twice as much as a unit sold a half-life earlier
-- (forward decay, Cormode et al. 2009). The sum is expressed as a time (docs/architecture.md, Redis), so it never overflows,
-- and rankings stay correct without updates.
SELECT
  line.product_id,
  decayed_sum(CAST(line.quantity AS BIGINT), unix_s(sold.placed_at), 30) AS popular,
  decayed_sum(CAST(line.quantity AS BIGINT), unix_s(sold.placed_at), 7) AS trending
FROM sold
CROSS JOIN UNNEST(sold.lines) AS line
WHERE line.quantity > 0
GROUP BY line.product_id
