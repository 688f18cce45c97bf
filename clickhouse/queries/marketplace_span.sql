-- From when to when the marketplace has sold, by what was cancelled of it, too; nulls when it never did.
SELECT
    minOrNull(minute) AS first_minute,
    maxOrNull(minute) AS newest_minute
FROM marketplace_sales_minute
