-- What was sold of each product in each minute, cancelled orders included.
SELECT
  total.seller_id, total.product_id, placed.`minute`, placed.currency,
  COUNT(*) AS orders,
  SUM(total.`lines`) AS `lines`,
  SUM(total.units) AS units,
  SUM(total.gross_minor) AS gross_minor,
  SUM(total.discount_minor) AS discount_minor,
  SUM(total.shipping_minor) AS shipping_minor
FROM placed CROSS JOIN LATERAL TABLE(product_totals(placed.lines)) AS total
GROUP BY total.seller_id, total.product_id, placed.`minute`, placed.currency
