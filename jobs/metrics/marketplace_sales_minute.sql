-- What the whole marketplace sold in each minute: each order counts once, as its first line or as the one without lines.
SELECT
  placed.`minute`, placed.currency,
  COUNT(*) FILTER (WHERE COALESCE(line.line_position, 1) = 1) AS orders,
  COUNT(line.product_id) AS `lines`,
  COALESCE(SUM(CAST(line.quantity AS BIGINT)), 0) AS units,
  COALESCE(SUM(line.quantity * line.unit_price_minor), 0) AS gross_minor,
  COALESCE(SUM(line.discount_minor), 0) AS discount_minor,
  COALESCE(SUM(line.shipping_minor), 0) AS shipping_minor
FROM placed
LEFT JOIN UNNEST(placed.lines) WITH ORDINALITY AS line (
  line_number, product_id, seller_id, quantity, unit_price_minor, discount_minor, shipping_minor, tax_minor,
  commission_bp, line_position
) ON TRUE
GROUP BY placed.`minute`, placed.currency
