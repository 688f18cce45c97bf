-- Units sold of each product. A unit weighs twice as much as one sold a half-life earlier (forward decay, Cormode et al.
-- 2009). The score is a time (docs/architecture.md, Redis), so it never overflows, and rankings stay right without updates.
SELECT
  line.product_id,
  decayed_sum(CAST(line.quantity AS BIGINT), unix_s(sold.placed_at), 30) AS popular,
  decayed_sum(CAST(line.quantity AS BIGINT), unix_s(sold.placed_at), 7) AS trending
FROM sold
CROSS JOIN UNNEST(sold.lines) AS line
WHERE line.quantity > 0
GROUP BY line.product_id
