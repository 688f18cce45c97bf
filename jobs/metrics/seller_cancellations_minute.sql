-- What was cancelled of each seller's sales, by the minute of the sale.
SELECT
  total.seller_id, cancelled.`minute`, cancelled.currency,
  COUNT(*) AS orders,
  SUM(total.units) AS units,
  SUM(total.gross_minor) AS gross_minor,
  SUM(total.shipping_minor) AS shipping_minor
FROM cancelled CROSS JOIN LATERAL TABLE(seller_totals(cancelled.lines)) AS total
GROUP BY total.seller_id, cancelled.`minute`, cancelled.currency
