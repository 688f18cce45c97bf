-- A seller's best products of a period, by revenue, units or orders.
SELECT
    product_id,
    sum(orders_of_product) AS orders,
    sum(units) AS units,
    sum(gross_minor) AS gross_minor,
    sum(discount_minor) AS discount_minor,
    sum(revenue_minor) AS revenue_minor,
    sum(shipping_minor) AS shipping_minor
FROM sales_lines
WHERE seller_id = {seller_id:String}
    AND currency = {currency:String}
    AND minute >= {period_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY product_id
ORDER BY
    multiIf(
        {by:String} = 'units', toInt64(units),
        {by:String} = 'orders', toInt64(orders),
        revenue_minor
    ) DESC,
    product_id
LIMIT {limit:UInt32}
