-- Sales of the marketplace in a period and in the period before it, and their cancellations and returns, by bucket.
SELECT
    minute >= {period_start:DateTime('UTC')} AS is_current,
    minute < {compared_end:DateTime('UTC')} AS is_compared, -- in the part of the earlier period with which the current period is compared
    toUnixTimestamp(toDateTime(dateTrunc({grain:String}, minute, {timezone:String}), {timezone:String})) AS bucket,
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
FROM marketplace_sales_minute
WHERE currency = {currency:String}
    AND minute >= {previous_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY is_current, is_compared, bucket
