SELECT line_number, product_id, seller_id, quantity, amount_minor, returned, refunded_minor
FROM due_lines
WHERE order_id = $1::uuid;
