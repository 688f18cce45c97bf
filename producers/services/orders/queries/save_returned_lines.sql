-- Records what came back of an order's lines. A constraint of the table refuses more units than were sold.
WITH returned AS (
    UPDATE orders SET has_returns = true WHERE order_id = $1::uuid AND NOT has_returns
)
UPDATE order_lines SET returned = after.returned, returned_minor = after.refunded_minor
FROM unnest($2::integer[], $3::integer[], $4::bigint[]) AS after (line_number, returned, refunded_minor)
WHERE order_id = $1::uuid AND order_lines.line_number = after.line_number;
