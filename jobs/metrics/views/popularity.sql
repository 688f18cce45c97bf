-- Units sold of each product, each unit worth twice one sold a half-life earlier (forward decay, Cormode et al. 2009).
-- As a moment (docs/architecture.md, Redis): no landmark runs out, and a ranking stays right without touching a score again.
SELECT
  product_id,
  decayed_sum(units, unix_s(placed_at), 30) AS popular,
  decayed_sum(units, unix_s(placed_at), 7) AS trending
FROM placed_lines
WHERE units > 0
GROUP BY product_id
