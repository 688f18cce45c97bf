-- Pairs of a seller's products that were bought in the same orders of a period, the most frequent first.
WITH
    -- The seller's own products in each confirmed order that was not cancelled.
    baskets AS
    (
        SELECT seller_id, order_id, groupUniqArray(product_id) AS products
        FROM sales_lines
        WHERE seller_id = {seller_id:String} AND currency = {currency:String} AND kind = 'sold'
            AND minute >= {period_start:DateTime('UTC')} AND minute < {period_end:DateTime('UTC')}
            AND (seller_id, order_id) NOT IN (
                SELECT seller_id, order_id FROM sales_lines
                WHERE seller_id = {seller_id:String} AND kind = 'cancelled'
                    AND minute >= {period_start:DateTime('UTC')} AND minute < {period_end:DateTime('UTC')}
            )
        GROUP BY seller_id, order_id
    ),
    pairs AS
    (
        SELECT seller_id, product_a, product_b, count() AS together
        FROM
        (
            SELECT seller_id, products, arrayJoin(products) AS product_a FROM baskets
            WHERE length(products) > 1 AND length(products) <= {max_products:UInt32}
        )
        ARRAY JOIN products AS product_b
        WHERE product_a < product_b
        GROUP BY seller_id, product_a, product_b
        HAVING together >= {min_orders:UInt32}
    ),
    bought AS
    (
        SELECT seller_id, product_id, count() AS orders
        FROM (SELECT seller_id, arrayJoin(products) AS product_id FROM baskets)
        GROUP BY seller_id, product_id
    )
SELECT
    every.seller_id AS seller_id,
    every.orders AS orders,
    ifNull(pair.product_a, '') AS product_a,
    ifNull(pair.product_b, '') AS product_b,
    ifNull(pair.together, 0) AS together,
    if(together = 0, 0, ifNull(bought_a.orders, 0)) AS orders_a,
    if(together = 0, 0, ifNull(bought_b.orders, 0)) AS orders_b
FROM (SELECT seller_id, count() AS orders FROM baskets GROUP BY seller_id) AS every
-- A seller without a pair has one row, without products.
LEFT JOIN pairs AS pair ON pair.seller_id = every.seller_id
LEFT JOIN bought AS bought_a ON bought_a.seller_id = every.seller_id AND bought_a.product_id = pair.product_a
LEFT JOIN bought AS bought_b ON bought_b.seller_id = every.seller_id AND bought_b.product_id = pair.product_b
ORDER BY together DESC, together / greatest(orders_a * orders_b, 1) DESC, product_a, product_b
LIMIT {limit:UInt32} BY seller_id
