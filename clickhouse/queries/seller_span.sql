-- The minutes of the first and the newest order of a seller, cancelled or not; nulls if there are none.
SELECT
    minOrNull(minute) AS first_minute,
    maxOrNull(minute) AS newest_minute
FROM seller_sales_minute -- also has orders of which the history has only the cancellation
WHERE seller_id = {seller_id:String}
