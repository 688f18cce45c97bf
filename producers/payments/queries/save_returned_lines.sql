UPDATE due_lines SET returned = $3::integer, refunded_minor = $4::bigint
WHERE order_id = $1::uuid AND line_number = $2::integer;
