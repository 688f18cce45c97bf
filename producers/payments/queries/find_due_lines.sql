SELECT line_number, quantity, amount_minor, returned, refunded_minor, product_id, seller_id
FROM due_lines
WHERE order_id = $1::uuid;
