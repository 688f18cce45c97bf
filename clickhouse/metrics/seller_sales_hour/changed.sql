-- The hours of the rows that an insert adds.
SELECT DISTINCT seller_id, toStartOfHour(minute) AS hour FROM sales_lines
