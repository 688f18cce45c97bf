-- Units sold of each product, each unit worth twice one sold 7 days earlier (forward decay, Cormode et al. 2009).
-- 1451606400 is 2016-01-01 UTC: a fixed landmark, so that the ranking stays right without touching a score again.
SELECT
  product_id,
  SUM(units * POWER(2e0, TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(1451606400, 0), placed_at) / (7 * 86400e0))) AS score
FROM placed_lines
WHERE units > 0
GROUP BY product_id
