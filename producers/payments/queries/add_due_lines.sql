INSERT INTO due_lines (order_id, line_number, quantity, amount_minor)
SELECT $1::uuid, line_number, quantity, amount_minor
FROM unnest($2::integer[], $3::integer[], $4::bigint[]) AS lines (line_number, quantity, amount_minor)
ON CONFLICT (order_id, line_number) DO NOTHING;
