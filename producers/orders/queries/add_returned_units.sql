-- A constraint of the table refuses more units than were sold.
UPDATE order_lines SET returned = order_lines.returned + change.units
FROM unnest($2::integer[], $3::integer[]) AS change (line_number, units)
WHERE order_id = $1::uuid AND order_lines.line_number = change.line_number;
