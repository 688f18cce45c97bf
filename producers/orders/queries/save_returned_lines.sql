-- A constraint of the table refuses more units than were sold.
UPDATE order_lines SET returned = after.returned, returned_minor = after.refunded_minor
FROM unnest($2::integer[], $3::integer[], $4::bigint[]) AS after (line_number, returned, refunded_minor)
WHERE order_id = $1::uuid AND order_lines.line_number = after.line_number;
