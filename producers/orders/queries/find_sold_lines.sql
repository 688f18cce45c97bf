SELECT line_number, product_id, seller_id, quantity, returned FROM order_lines WHERE order_id = $1::uuid;
