-- Sales, cancellations and returns of the marketplace by quarter of an hour, from those by minute.
SELECT
    toString(toStartOfFifteenMinutes(minute)) AS quarter_hour, toString(currency) AS currency,
    sum(orders) AS orders, sum(lines) AS lines, sum(units) AS units, sum(gross_minor) AS gross_minor,
    sum(discount_minor) AS discount_minor, sum(shipping_minor) AS shipping_minor, sum(cancelled_orders) AS cancelled_orders,
    sum(cancelled_units) AS cancelled_units, sum(cancelled_gross_minor) AS cancelled_gross_minor,
    sum(cancelled_discount_minor) AS cancelled_discount_minor, sum(cancelled_shipping_minor) AS cancelled_shipping_minor,
    sum(returned_units) AS returned_units, sum(returned_minor) AS returned_minor, sum(revenue_minor) AS revenue_minor
FROM marketplace_sales_minute
GROUP BY quarter_hour, currency
