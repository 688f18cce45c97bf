-- Sales, cancellations and returns of the marketplace by quarter of an hour, as the roll-up has them.
SELECT
    toString(start) AS quarter_hour, toString(currency) AS currency,
    orders, lines, units, gross_minor, discount_minor, shipping_minor,
    cancelled_orders, cancelled_units, cancelled_gross_minor, cancelled_discount_minor, cancelled_shipping_minor,
    returned_units, returned_minor, revenue_minor
FROM (SELECT quarter_hour AS start, * EXCEPT (quarter_hour) FROM marketplace_sales_quarter_hour)
