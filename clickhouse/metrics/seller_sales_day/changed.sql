-- The days of the hours that changed.
SELECT DISTINCT seller_id, toStartOfDay(hour) AS day FROM seller_sales_hour
