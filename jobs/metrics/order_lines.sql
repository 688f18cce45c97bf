-- Every line of every order placed, as it was placed.
SELECT
  seller_id, placed_at, order_id, line_number, shopper_id, product_id, currency, quantity, unit_price_minor,
  gross_minor, discount_minor, shipping_minor, tax_minor, commission_bp
FROM placed_lines
