-- Sales and cancellations of the whole marketplace by minute, as job metrics keeps them.
SELECT
    toString(minute) AS minute, toString(currency) AS currency,
    orders, lines, units, gross_minor, discount_minor, shipping_minor,
    cancelled_orders, cancelled_units, cancelled_gross_minor, cancelled_shipping_minor
FROM marketplace_sales_minute FINAL
