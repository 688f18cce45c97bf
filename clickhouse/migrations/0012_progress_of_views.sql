-- ClickHouse derives these metrics from facts now, so no job reports their progress any more. What was reported would only age.

DELETE FROM pipeline_progress
WHERE table_name IN ('order_lines', 'order_state', 'seller_sales_minute', 'product_sales_minute');
