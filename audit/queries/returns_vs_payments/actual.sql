-- The returned units and money of each line, from payments.
SELECT order_id::text AS order_id, line_number, returned AS units_back, refunded_minor AS refund_minor
FROM payments.due_lines
WHERE returned > 0 OR refunded_minor > 0;
