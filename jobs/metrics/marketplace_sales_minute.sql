-- What the whole marketplace sold in each minute, orders without lines included.
SELECT
  placed.`minute`, placed.currency,
  COUNT(*) AS orders,
  SUM(total.`lines`) AS `lines`,
  SUM(total.units) AS units,
  SUM(total.gross_minor) AS gross_minor,
  SUM(total.discount_minor) AS discount_minor,
  SUM(total.shipping_minor) AS shipping_minor
FROM placed CROSS JOIN LATERAL TABLE(order_totals(placed.lines)) AS total
GROUP BY placed.`minute`, placed.currency
