-- Every seller who registered, sold something, or had an order cancelled.
SELECT DISTINCT seller_id
FROM
(
    SELECT seller_id FROM seller_registered
    UNION ALL
    SELECT seller_id FROM seller_sales_minute
)
ORDER BY seller_id
