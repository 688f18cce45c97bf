-- What was cancelled of each seller's sales, by the minute of the sale.
SELECT
  seller_id, `minute`, currency,
  COUNT(DISTINCT order_id) AS orders,
  SUM(units) AS units,
  SUM(gross_minor) AS gross_minor,
  SUM(shipping_minor) AS shipping_minor
FROM cancelled_lines
GROUP BY seller_id, `minute`, currency
