-- Confirmed sales of each seller in each minute, and how much was cancelled or returned later.
SELECT
  seller_id, `minute`, currency,
  SUM(orders) AS orders,
  SUM(`lines`) AS `lines`,
  SUM(units) AS units,
  SUM(gross_minor) AS gross_minor,
  SUM(discount_minor) AS discount_minor,
  SUM(shipping_minor) AS shipping_minor,
  SUM(cancelled_orders) AS cancelled_orders,
  SUM(cancelled_units) AS cancelled_units,
  SUM(cancelled_gross_minor) AS cancelled_gross_minor,
  SUM(cancelled_discount_minor) AS cancelled_discount_minor,
  SUM(cancelled_shipping_minor) AS cancelled_shipping_minor,
  SUM(returned_units) AS returned_units,
  SUM(returned_minor) AS returned_minor
FROM (
  SELECT
    total.seller_id, sold.`minute`, sold.currency,
    CAST(1 AS BIGINT) AS orders, total.`lines`, total.units, total.gross_minor, total.discount_minor, total.shipping_minor,
    CAST(0 AS BIGINT) AS cancelled_orders, 0 AS cancelled_units, 0 AS cancelled_gross_minor,
    0 AS cancelled_discount_minor, 0 AS cancelled_shipping_minor,
    CAST(0 AS BIGINT) AS returned_units, CAST(0 AS BIGINT) AS returned_minor
  FROM sold CROSS JOIN LATERAL TABLE(seller_totals(sold.lines)) AS total
  UNION ALL
  SELECT
    total.seller_id, cancelled.`minute`, cancelled.currency, 0, 0, 0, 0, 0, 0,
    1, total.units, total.gross_minor, total.discount_minor, total.shipping_minor, 0, 0
  FROM cancelled CROSS JOIN LATERAL TABLE(seller_totals(cancelled.lines)) AS total
  UNION ALL
  SELECT seller_id, `minute`, currency, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, units, refund_minor FROM returned
)
GROUP BY seller_id, `minute`, currency
