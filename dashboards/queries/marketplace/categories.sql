-- The categories with the most revenue in the period.
SELECT
    if(empty(newest.category), 'no category', newest.category) AS category,
    sum(sold.revenue_minor) / {minor_units:UInt32} AS revenue
FROM product_sales_minute AS sold
LEFT JOIN
(
    SELECT
        product_id,
        assumeNotNull(argMax(ifNull(category, ''), occurred_at)) AS category
    FROM
    (
        SELECT product_id, occurred_at, category FROM product_listed
        UNION ALL
        SELECT product_id, occurred_at, category FROM product_changed
    )
    GROUP BY product_id
) AS newest USING (product_id)
WHERE sold.currency = {currency:String}
    AND sold.minute >= {period_start:DateTime('UTC')}
    AND sold.minute < {period_end:DateTime('UTC')}
GROUP BY category
ORDER BY revenue DESC, category
LIMIT 15
