-- Every line of every order, as placed.
SELECT
  line.seller_id, placed.placed_at, placed.order_id, line.line_number, placed.shopper_id, line.product_id, placed.currency,
  line.quantity, line.unit_price_minor, line.quantity * line.unit_price_minor AS gross_minor, line.discount_minor,
  line.shipping_minor, line.tax_minor, line.commission_bp
FROM placed
CROSS JOIN UNNEST(placed.lines) AS line
