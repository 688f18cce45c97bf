SELECT line_number, product_id, seller_id, quantity, returned, written_off, amount_minor, refunded_minor
FROM reserved_lines
WHERE order_id = $1::uuid
ORDER BY line_number;
