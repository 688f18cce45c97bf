-- Customers of a seller by the month of their first order, with their orders and net sales in each month.
SELECT
    seller_id,
    cohort,
    month,
    uniqExact(bought.shopper_id) AS customers,
    count() AS orders,
    sum(bought.net_sales) AS net_sales
FROM
(
    SELECT
        placed.seller_id AS seller_id,
        placed.shopper_id AS shopper_id,
        placed.currency AS currency,
        first_value(placed.currency) OVER of_customer AS first_currency,
        toYYYYMM(first_value(placed.minute) OVER of_customer, {timezone:String}) AS cohort,
        toYYYYMM(placed.minute, {timezone:String}) AS month,
        ifNull(sold.net_sales, 0) AS net_sales
    FROM (SELECT * FROM customer_orders WHERE seller_id = {seller_id:String}) AS placed
    LEFT JOIN
    (
        SELECT seller_id, order_id, sum(revenue_minor) AS net_sales, max(kind = 'cancelled') AS is_cancelled
        FROM sales_lines
        WHERE seller_id = {seller_id:String}
        GROUP BY seller_id, order_id
    ) AS sold ON sold.seller_id = placed.seller_id AND sold.order_id = placed.order_id
    WHERE ifNull(sold.is_cancelled, 0) = 0
    WINDOW of_customer AS (PARTITION BY placed.seller_id, placed.shopper_id ORDER BY placed.minute, placed.order_id)
) AS bought
-- A customer whose first order was in another currency is in no cohort, as no new customer either.
WHERE currency = {currency:String}
    AND first_currency = {currency:String}
    AND cohort >= {first_month:UInt32}
    AND month <= {last_month:UInt32}
GROUP BY seller_id, cohort, month
ORDER BY seller_id, cohort, month
