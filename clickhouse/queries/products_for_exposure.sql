-- Products on offer that are new, or whose seller sold little: the newest first, then others in an order that the seed draws.
SELECT
    product_id,
    is_newest
FROM
(
    SELECT
        product_id,
        seller_id,
        listed_at >= {newest_since:DateTime('UTC')} AS is_newest,
        if(is_newest, listed_at, {newest_since:DateTime('UTC')}) AS newest_at,
        sipHash64(product_id, {seed:String}) AS drawn
    FROM
    (
        SELECT
            offered.product_id AS product_id,
            any(offered.seller_id) AS seller_id,
            min(offered.listed_at) AS listed_at
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
    ORDER BY is_newest DESC, newest_at DESC, drawn
    LIMIT {of_seller:UInt32} BY seller_id, is_newest
)
ORDER BY is_newest DESC, newest_at DESC, drawn
LIMIT {limit:UInt32} BY is_newest
