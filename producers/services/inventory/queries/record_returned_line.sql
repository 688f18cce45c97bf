-- A constraint of the table refuses more units than were sold.
UPDATE reserved_lines
SET returned = returned + $3::integer, written_off = written_off + $4::integer
WHERE order_id = $1::uuid AND line_number = $2::integer;
