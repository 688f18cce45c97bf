-- Sales, cancellations and returns by seller and hour, and by seller and day, as the roll-ups have them.
SELECT
    seller_id, period, toString(start) AS start, toString(currency) AS currency, toString(newest_minute) AS newest_minute,
    orders, lines, units, gross_minor, discount_minor, shipping_minor,
    cancelled_orders, cancelled_units, cancelled_gross_minor, cancelled_discount_minor, cancelled_shipping_minor,
    returned_units, returned_minor, revenue_minor
FROM
(
    SELECT 'hour' AS period, hour AS start, * EXCEPT (hour) FROM seller_sales_hour
    UNION ALL
    SELECT 'day' AS period, day AS start, * EXCEPT (day) FROM seller_sales_day
)
