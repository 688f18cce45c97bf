-- Units that each product sold in each hour, and its stock at the end of the hour, if it changed.
SELECT
  seller_id, product_id, window_time AS closed_at,
  CAST(window_end AS TIMESTAMP_LTZ(3)) AS hour_end,
  SUM(units) AS units,
  MAX(stock_level) AS stock_level
FROM TABLE(TUMBLE(TABLE stock_activity, DESCRIPTOR(occurred_at), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, window_time, seller_id, product_id
