-- What was cancelled of the marketplace's sales, by the minute of the sale.
SELECT
  cancelled.`minute`, cancelled.currency,
  COUNT(*) FILTER (WHERE COALESCE(line.line_position, 1) = 1) AS orders,
  COALESCE(SUM(CAST(line.quantity AS BIGINT)), 0) AS units,
  COALESCE(SUM(line.quantity * line.unit_price_minor), 0) AS gross_minor,
  COALESCE(SUM(line.shipping_minor), 0) AS shipping_minor
FROM cancelled
LEFT JOIN UNNEST(cancelled.lines) WITH ORDINALITY AS line (
  line_number, product_id, seller_id, quantity, unit_price_minor, discount_minor, shipping_minor, tax_minor,
  commission_bp, line_position
) ON TRUE
GROUP BY cancelled.`minute`, cancelled.currency
