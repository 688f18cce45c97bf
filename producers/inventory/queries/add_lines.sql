INSERT INTO reserved_lines (order_id, line_number, product_id, seller_id, quantity)
SELECT $1::uuid, line.*
FROM unnest($2::integer[], $3::text[], $4::text[], $5::integer[]) AS line;
