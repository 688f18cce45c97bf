-- The lines of the orders cancelled, one row a line.
SELECT
  line.seller_id, cancelled.`minute`, cancelled.currency, cancelled.order_id, CAST(line.quantity AS BIGINT) AS units,
  line.quantity * line.unit_price_minor AS gross_minor, line.shipping_minor
FROM cancelled
CROSS JOIN UNNEST(cancelled.lines) AS line
