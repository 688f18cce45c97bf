-- Lines of refunded returns, without duplicates; `minute` is the minute in which the order was placed.
SELECT
  back.seller_id, line.product_id, back.`minute`, back.currency, CAST(line.quantity AS BIGINT) AS units, line.refund_minor
FROM (
  SELECT return_id, seller_id, currency, FLOOR(placed_at TO MINUTE) AS `minute`, lines
  FROM (
    SELECT
      return_id, seller_id, currency, placed_at, lines,
      ROW_NUMBER() OVER (PARTITION BY return_id ORDER BY arrived_at) AS copy
    FROM (SELECT *, PROCTIME() AS arrived_at FROM events.order_returned)
  )
  WHERE copy = 1
) AS back
JOIN (
  SELECT return_id
  FROM (
    SELECT return_id, ROW_NUMBER() OVER (PARTITION BY return_id ORDER BY arrived_at) AS copy
    FROM (SELECT return_id, PROCTIME() AS arrived_at FROM events.payment_refunded WHERE return_id IS NOT NULL)
  )
  WHERE copy = 1
) AS refunded ON back.return_id = refunded.return_id
CROSS JOIN UNNEST(back.lines) AS line
