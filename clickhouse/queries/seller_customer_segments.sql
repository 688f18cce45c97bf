-- Customers of a seller by scores from 1 to 5 of their recency, frequency and net sales; all of them where the scores are 0.
SELECT
    seller_id,
    is_erased,
    recency,
    frequency,
    monetary,
    count() AS customers,
    countIf(NOT is_registered) AS guests,
    sum(scored.orders) AS orders,
    sum(scored.net_sales) AS net_sales,
    quantileExact(0.5)(scored.net_sales) AS median_net_sales,
    quantileExact(0.9)(scored.net_sales) AS p90_net_sales
FROM
(
    -- Of n customers, the score of one is 1 + ⌊5 · those with a lower value ÷ n⌋: equal values have equal scores.
    SELECT
        seller_id,
        is_erased,
        is_registered,
        orders,
        net_sales,
        1 + intDiv(5 * (rank() OVER (PARTITION BY seller_id, is_erased ORDER BY last_minute) - 1), of_seller) AS recency,
        1 + intDiv(5 * (rank() OVER (PARTITION BY seller_id, is_erased ORDER BY orders) - 1), of_seller) AS frequency,
        1 + intDiv(5 * (rank() OVER (PARTITION BY seller_id, is_erased ORDER BY net_sales) - 1), of_seller) AS monetary,
        count() OVER (PARTITION BY seller_id, is_erased) AS of_seller
    FROM
    (
        SELECT
            placed.seller_id AS seller_id,
            placed.shopper_id IN (SELECT shopper_id FROM shopper_erased) AS is_erased,
            placed.shopper_id IN (
                SELECT shopper_id FROM shopper_registered
                WHERE shopper_id IN (SELECT shopper_id FROM customer_orders WHERE seller_id = {seller_id:String})
            ) AS is_registered,
            max(placed.minute) AS last_minute,
            count() AS orders,
            sum(ifNull(sold.net_sales, 0)) AS net_sales
        FROM
        (
            SELECT * FROM customer_orders WHERE seller_id = {seller_id:String} AND currency = {currency:String}
        ) AS placed
        LEFT JOIN
        (
            SELECT seller_id, order_id, sum(revenue_minor) AS net_sales, max(kind = 'cancelled') AS is_cancelled
            FROM sales_lines
            WHERE seller_id = {seller_id:String}
            GROUP BY seller_id, order_id
        ) AS sold ON sold.seller_id = placed.seller_id AND sold.order_id = placed.order_id
        WHERE ifNull(sold.is_cancelled, 0) = 0
        GROUP BY placed.seller_id, placed.shopper_id
    )
) AS scored
GROUP BY GROUPING SETS ((seller_id, is_erased, recency, frequency, monetary), (seller_id, is_erased))
ORDER BY seller_id, is_erased, recency, frequency, monetary
