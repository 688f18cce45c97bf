SELECT line_number, product_id, seller_id, quantity,
    quantity * unit_price_minor - discount_minor + shipping_minor + tax_minor AS amount_minor, returned, returned_minor
FROM order_lines
WHERE order_id = $1::uuid;
