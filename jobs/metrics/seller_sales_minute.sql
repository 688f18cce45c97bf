-- What each seller sold in each minute, cancelled orders included.
SELECT
  total.seller_id, placed.`minute`, placed.currency,
  COUNT(*) AS orders,
  SUM(total.`lines`) AS `lines`,
  SUM(total.units) AS units,
  SUM(total.gross_minor) AS gross_minor,
  SUM(total.discount_minor) AS discount_minor,
  SUM(total.shipping_minor) AS shipping_minor
FROM placed CROSS JOIN LATERAL TABLE(seller_totals(placed.lines)) AS total
GROUP BY total.seller_id, placed.`minute`, placed.currency
