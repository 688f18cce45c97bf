SELECT line_number, product_id, seller_id, quantity, returned, written_off
FROM reserved_lines
WHERE order_id = $1::uuid
ORDER BY line_number;
