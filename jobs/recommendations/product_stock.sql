-- Units of each product that nobody holds, at all its sellers: the state of the highest version of each, which is
-- packed behind its version (made positive) so that MAX finds it.
SELECT /*+ STATE_TTL('sellers' = '36500 d') */
  product_id, SUM(available) AS available
FROM (
  SELECT /*+ STATE_TTL('changes' = '36500 d') */
    product_id, CAST(SUBSTRING(MAX(packed), 20) AS BIGINT) AS available
  FROM (
    SELECT
      product_id, seller_id,
      CONCAT(
        LPAD(CAST(version + 4611686018427387904 AS STRING), 19, '0'),
        CAST(GREATEST(on_hand - reserved, 0) AS STRING)
      ) AS packed
    FROM events.stock_changed
  ) AS changes
  GROUP BY product_id, seller_id
) AS sellers
GROUP BY product_id
