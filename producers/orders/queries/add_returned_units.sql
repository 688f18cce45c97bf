-- The table's check refuses more units than were sold.
UPDATE order_lines SET returned = returned + back.units
FROM unnest($2::integer[], $3::integer[]) AS back (line_number, units)
WHERE order_id = $1::uuid AND order_lines.line_number = back.line_number;
