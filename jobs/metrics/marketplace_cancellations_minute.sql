-- What was cancelled of the marketplace's sales, by the minute of the sale.
SELECT
  cancelled.`minute`, cancelled.currency,
  COUNT(*) AS orders,
  SUM(total.units) AS units,
  SUM(total.gross_minor) AS gross_minor,
  SUM(total.shipping_minor) AS shipping_minor
FROM cancelled CROSS JOIN LATERAL TABLE(order_totals(cancelled.lines)) AS total
GROUP BY cancelled.`minute`, cancelled.currency
