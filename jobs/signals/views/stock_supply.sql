-- The available stock of each product at the end of an hour, and the units sold in the days before.
SELECT seller_id, product_id, closed_at, hour_end, units, MOD(stock_level, 4294967296) AS available
FROM (
  SELECT
    seller_id, product_id, closed_at, hour_end,
    SUM(units) OVER pace AS units,
    MAX(stock_level) OVER pace AS stock_level
  FROM stock_hours
  WINDOW pace AS (
    PARTITION BY seller_id, product_id ORDER BY closed_at
    RANGE BETWEEN INTERVAL '{pace_days:INT}' DAY PRECEDING AND CURRENT ROW
  )
)
WHERE stock_level IS NOT NULL
