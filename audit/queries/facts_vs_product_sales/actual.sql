-- Sales by seller, product and minute, as job metrics keeps them.
SELECT
    seller_id, product_id, toString(minute) AS minute, toString(currency) AS currency,
    orders, lines, units, gross_minor, discount_minor, shipping_minor
FROM product_sales_minute FINAL
