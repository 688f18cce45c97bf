-- ClickHouse adds up these metrics now, so no job reports their progress any more. What was reported would only age.

DELETE FROM pipeline_progress
WHERE table_name IN ('marketplace_sales_minute', 'payments_minute');
