-- What a seller sold of each product in a period, and in the one that it is compared with.
SELECT
    sold.product_id AS product_id,
    ifNull(listing.category, '') AS category,
    -- New is what was never sold up to the end of the compared period; delisted, what is not on offer when the period ends.
    first_sale.first_sold_at >= {compared_end:DateTime('UTC')} AS is_new,
    ifNull(delisting.delisted_at, toDateTime64(0, 3, 'UTC')) > ifNull(listing.last_listed_at, toDateTime64(0, 3, 'UTC')) AS is_delisted,
    sold.* EXCEPT (product_id)
FROM
(
    SELECT
        product_id,
        sumIf(source.orders, source.is_current) AS orders,
        sumIf(source.orders, NOT source.is_current) AS compared_orders,
        sumIf(source.units, source.is_current) AS units,
        sumIf(source.units, NOT source.is_current) AS compared_units,
        sumIf(source.gross_minor, source.is_current) AS gross_minor,
        sumIf(source.gross_minor, NOT source.is_current) AS compared_gross_minor,
        sumIf(source.discount_minor, source.is_current) AS discount_minor,
        sumIf(source.discount_minor, NOT source.is_current) AS compared_discount_minor,
        sumIf(source.cancelled_gross_minor - source.cancelled_discount_minor, source.is_current) AS cancelled_minor,
        sumIf(source.cancelled_gross_minor - source.cancelled_discount_minor, NOT source.is_current) AS compared_cancelled_minor,
        sumIf(source.returned_minor, source.is_current) AS returned_minor,
        sumIf(source.returned_minor, NOT source.is_current) AS compared_returned_minor,
        sumIf(source.revenue_minor, source.is_current) AS revenue_minor,
        sumIf(source.revenue_minor, NOT source.is_current) AS compared_revenue_minor
    FROM
    (
        SELECT *, minute >= {period_start:DateTime('UTC')} AND minute < {period_end:DateTime('UTC')} AS is_current
        FROM sales_lines
        WHERE seller_id = {seller_id:String}
            AND currency = {currency:String}
            AND (
                (minute >= {period_start:DateTime('UTC')} AND minute < {period_end:DateTime('UTC')})
                OR (minute >= {compared_start:DateTime('UTC')} AND minute < {compared_end:DateTime('UTC')})
            )
    ) AS source
    GROUP BY product_id
) AS sold
LEFT JOIN
(
    SELECT product_id, min(minute) AS first_sold_at FROM sales_lines
    WHERE seller_id = {seller_id:String} AND currency = {currency:String} AND units > 0
    GROUP BY product_id
) AS first_sale ON first_sale.product_id = sold.product_id
LEFT JOIN
(
    SELECT
        product_id,
        tupleElement(argMax(tuple(category), occurred_at), 1) AS category,
        maxIf(occurred_at, occurred_at < {period_end:DateTime('UTC')}) AS last_listed_at
    FROM
    (
        SELECT product_id, occurred_at, category FROM product_listed
        WHERE seller_id = {seller_id:String}
            AND product_id IN (SELECT product_id FROM sales_lines WHERE seller_id = {seller_id:String})
        UNION ALL
        SELECT product_id, occurred_at, category FROM product_changed
        WHERE seller_id = {seller_id:String}
            AND product_id IN (SELECT product_id FROM sales_lines WHERE seller_id = {seller_id:String})
    )
    GROUP BY product_id
) AS listing ON listing.product_id = sold.product_id
LEFT JOIN
(
    SELECT product_id, max(occurred_at) AS delisted_at FROM product_delisted
    WHERE seller_id = {seller_id:String} AND occurred_at < {period_end:DateTime('UTC')}
    GROUP BY product_id
) AS delisting ON delisting.product_id = sold.product_id
ORDER BY product_id
