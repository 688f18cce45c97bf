-- What each seller sold in each minute, cancelled orders included.
SELECT
  seller_id, `minute`, currency,
  COUNT(DISTINCT order_id) AS orders,
  COUNT(*) AS `lines`,
  SUM(units) AS units,
  SUM(gross_minor) AS gross_minor,
  SUM(discount_minor) AS discount_minor,
  SUM(shipping_minor) AS shipping_minor
FROM placed_lines
GROUP BY seller_id, `minute`, currency
