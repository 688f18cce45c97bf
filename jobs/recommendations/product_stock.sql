-- The units of a product at each seller that no order reserves: a JSON object from seller to units.
-- The units follow the version (made positive) in one string, so that MAX finds the units of the highest version.
SELECT /*+ STATE_TTL('sellers' = '36500 d') */
  product_id, CONCAT('{', LISTAGG(units, ','), '}') AS stock
FROM (
  SELECT /*+ STATE_TTL('changes' = '36500 d') */
    product_id, CONCAT(JSON_STRING(seller_id), ':', SUBSTRING(MAX(packed), 20)) AS units
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
