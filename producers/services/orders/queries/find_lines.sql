SELECT line_number, product_id, seller_id, quantity, unit_price_minor, discount_minor, shipping_minor, tax_minor,
    commission_bp
FROM order_lines
WHERE order_id = $1::uuid
ORDER BY line_number;
