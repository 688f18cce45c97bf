-- Sales and cancellations by seller and minute, as job metrics keeps them.
SELECT
    seller_id, toString(minute) AS minute, toString(currency) AS currency,
    orders, lines, units, gross_minor, discount_minor, shipping_minor,
    cancelled_orders, cancelled_units, cancelled_gross_minor, cancelled_shipping_minor
FROM seller_sales_minute FINAL
