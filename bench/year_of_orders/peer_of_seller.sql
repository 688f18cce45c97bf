-- The figures of a seller by day, from the stored rows as they are: without FINAL, a copy of an event counts twice.
SELECT
    toStartOfDay(minute, {timezone:String}) AS day,
    sum(orders) AS orders,
    sum(lines) AS lines,
    sum(units) AS units,
    sum(gross_minor) AS gross_minor,
    sum(discount_minor) AS discount_minor,
    sum(shipping_minor) AS shipping_minor,
    sum(cancelled_orders) AS cancelled_orders,
    sum(cancelled_units) AS cancelled_units,
    sum(cancelled_gross_minor) AS cancelled_gross_minor,
    sum(cancelled_discount_minor) AS cancelled_discount_minor,
    sum(cancelled_shipping_minor) AS cancelled_shipping_minor,
    sum(returned_units) AS returned_units,
    sum(returned_minor) AS returned_minor,
    sum(revenue_minor) AS revenue_minor
FROM {database:Identifier}.{table:Identifier}
WHERE seller_id = {seller_id:String}
    AND minute >= {previous_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY day
SETTINGS max_threads = 1 -- as the query of the API
