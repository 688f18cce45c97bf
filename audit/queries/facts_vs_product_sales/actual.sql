-- Sales, cancellations and returns by seller, product and minute, as ClickHouse derives them.
SELECT
    seller_id, product_id, toString(minute) AS minute, toString(currency) AS currency,
    orders, lines, units, gross_minor, discount_minor, shipping_minor,
    cancelled_orders, cancelled_units, cancelled_gross_minor, cancelled_discount_minor,
    returned_units, returned_minor, revenue_minor
FROM product_sales_minute
