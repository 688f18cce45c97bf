-- What the marketplace sold in a period and in the one before it, by bucket of the shop's time zone.
SELECT
    minute >= {period_start:DateTime('UTC')} AS is_current,
    toUnixTimestamp(toDateTime(dateTrunc({grain:String}, minute, {timezone:String}), {timezone:String})) AS bucket,
    sum(orders) AS orders,
    sum(lines) AS lines,
    sum(units) AS units,
    sum(gross_minor) AS gross_minor,
    sum(discount_minor) AS discount_minor,
    sum(shipping_minor) AS shipping_minor
FROM marketplace_sales_minute FINAL
WHERE currency = {currency:String}
    AND minute >= {previous_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY is_current, bucket
