-- What the whole marketplace sold in each minute, and what of it was cancelled since; orders without lines included.
SELECT
  `minute`, currency,
  SUM(orders) AS orders,
  SUM(`lines`) AS `lines`,
  SUM(units) AS units,
  SUM(gross_minor) AS gross_minor,
  SUM(discount_minor) AS discount_minor,
  SUM(shipping_minor) AS shipping_minor,
  SUM(cancelled_orders) AS cancelled_orders,
  SUM(cancelled_units) AS cancelled_units,
  SUM(cancelled_gross_minor) AS cancelled_gross_minor,
  SUM(cancelled_shipping_minor) AS cancelled_shipping_minor
FROM (
  SELECT
    placed.`minute`, placed.currency,
    CAST(1 AS BIGINT) AS orders, total.`lines`, total.units, total.gross_minor, total.discount_minor,
    total.shipping_minor, CAST(0 AS BIGINT) AS cancelled_orders, 0 AS cancelled_units, 0 AS cancelled_gross_minor,
    0 AS cancelled_shipping_minor
  FROM placed CROSS JOIN LATERAL TABLE(order_totals(placed.lines)) AS total
  UNION ALL
  SELECT
    cancelled.`minute`, cancelled.currency, 0, 0, 0, 0, 0, 0,
    1, total.units, total.gross_minor, total.shipping_minor
  FROM cancelled CROSS JOIN LATERAL TABLE(order_totals(cancelled.lines)) AS total
)
GROUP BY `minute`, currency
