-- Units sold of each product, each unit worth twice one sold a half-life earlier (forward decay, Cormode et al. 2009).
-- 1767225600 is 2026-01-01 UTC: a fixed landmark, so that a ranking stays right without touching a score again.
SELECT
  product_id,
  SUM(units * POWER(2e0, TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(1767225600, 0), placed_at) / (30 * 86400e0))) AS popular,
  SUM(units * POWER(2e0, TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(1767225600, 0), placed_at) / (7 * 86400e0))) AS trending
FROM placed_lines
WHERE units > 0
GROUP BY product_id
