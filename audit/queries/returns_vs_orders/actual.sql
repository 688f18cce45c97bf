-- The returned units and money of each line, from orders.
SELECT order_id::text AS order_id, line_number, returned AS units_back, returned_minor AS refund_minor
FROM orders.order_lines
WHERE returned > 0 OR returned_minor > 0;
