-- The sums of a month of a metric of sales; `time` is its column of time.
SELECT
    sum(orders) AS orders,
    sum(lines) AS lines,
    sum(units) AS units,
    sum(gross_minor) AS gross_minor,
    sum(discount_minor) AS discount_minor,
    sum(shipping_minor) AS shipping_minor,
    sum(revenue_minor) AS revenue_minor
FROM {table:Identifier}
WHERE toYYYYMM({time:Identifier}) = {month:UInt32}
