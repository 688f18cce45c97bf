-- From when to when a seller has sold, by what was cancelled of it, too; nulls when they never did.
SELECT
    minOrNull(minute) AS first_minute,
    maxOrNull(minute) AS newest_minute
FROM seller_sales_minute -- a history that begins in the middle knows some by what was cancelled alone
WHERE seller_id = {seller_id:String}
