-- Sales, cancellations and returns of the whole marketplace by minute, as ClickHouse derives them.
SELECT
    toString(minute) AS minute, toString(currency) AS currency,
    orders, lines, units, gross_minor, discount_minor, shipping_minor,
    cancelled_orders, cancelled_units, cancelled_gross_minor, cancelled_discount_minor, cancelled_shipping_minor,
    returned_units, returned_minor, revenue_minor
FROM marketplace_sales_minute
