-- The products with the most net sales in the period.
SELECT
    product_id,
    newest.name AS name,
    newest.category AS category,
    sold.unit_count AS unit_count,
    sold.net_sales AS net_sales
FROM
(
    SELECT
        product_id,
        sum(units) AS unit_count,
        sum(revenue_minor) / {minor_units:UInt32} AS net_sales
    FROM product_sales_minute
    WHERE currency = {currency:String}
        AND minute >= {period_start:DateTime('UTC')}
        AND minute < {period_end:DateTime('UTC')}
    GROUP BY product_id
    ORDER BY net_sales DESC, product_id
    LIMIT 20
) AS sold
LEFT JOIN
(
    SELECT product_id, name, category
    FROM
    (
        SELECT product_id, occurred_at, name, category FROM product_listed
        UNION ALL
        SELECT product_id, occurred_at, name, category FROM product_changed
    )
    ORDER BY occurred_at DESC
    LIMIT 1 BY product_id
) AS newest USING (product_id)
ORDER BY net_sales DESC, product_id
