-- The minutes of the first and the newest order of a seller, cancelled or not; nulls if there are none.
SELECT
    minOrNull(minute) AS first_minute,
    maxOrNull(minute) AS newest_minute
FROM sales_lines
WHERE seller_id = {seller_id:String}
