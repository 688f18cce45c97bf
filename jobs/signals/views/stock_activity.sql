-- Units sold, and levels of the stock with their version in the upper half: the greatest is the newest.
SELECT
  seller_id, product_id, occurred_at, CAST(0 AS BIGINT) AS units,
  version * 4294967296 + CAST(GREATEST(on_hand - reserved, 0) AS BIGINT) AS stock_level
FROM events.stock_changed
WHERE CAST(occurred_at AS TIMESTAMP_LTZ(3)) >= TIMESTAMPADD(DAY, -{news_days:INT}, CURRENT_ROW_TIMESTAMP())
UNION ALL
SELECT line.seller_id, line.product_id, occurred_at, CAST(line.quantity AS BIGINT), CAST(NULL AS BIGINT)
FROM confirmed
CROSS JOIN UNNEST(confirmed.lines) AS line
UNION ALL
SELECT line.seller_id, line.product_id, occurred_at, CAST(-line.quantity AS BIGINT), CAST(NULL AS BIGINT)
FROM cancelled
CROSS JOIN UNNEST(cancelled.lines) AS line
WHERE confirmed_at IS NOT NULL
