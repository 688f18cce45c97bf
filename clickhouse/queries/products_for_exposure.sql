-- Products on offer that are new, or whose seller sold little, a few of each seller, in an order that the seed draws.
SELECT product_id
FROM
(
    SELECT product_id
    FROM
    (
        SELECT
            offered.product_id AS product_id,
            any(offered.seller_id) AS seller_id
        FROM
        (
            SELECT seller_id, product_id, min(change.at) AS listed_at
            FROM offer_changes AS change
            GROUP BY seller_id, product_id
            HAVING argMax(change.is_listed, (change.at, change.is_listed)) = 1
        ) AS offered
        LEFT JOIN
        (
            SELECT seller_id, sum(sales.units) AS sold_units
            FROM seller_sales_day AS sales
            WHERE sales.day >= {sold_since:DateTime('UTC')}
            GROUP BY seller_id
        ) AS sold ON sold.seller_id = offered.seller_id
        WHERE offered.listed_at >= {listed_since:DateTime('UTC')}
            OR ifNull(sold.sold_units, 0) <= {small_seller_units:UInt64}
        GROUP BY product_id
    )
    ORDER BY sipHash64(product_id, {seed:String})
    LIMIT {of_seller:UInt32} BY seller_id
)
ORDER BY sipHash64(product_id, {seed:String})
LIMIT {limit:UInt32}
