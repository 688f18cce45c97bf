-- Every seller that there is: those who registered, and those who sold, be it known by a cancellation alone.
SELECT DISTINCT seller_id
FROM
(
    SELECT seller_id FROM seller_registered
    UNION ALL
    SELECT seller_id FROM seller_sales_minute
)
ORDER BY seller_id
