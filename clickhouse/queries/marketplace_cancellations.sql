-- What of the marketplace's sales in a period, and in the one before it, was cancelled, by bucket.
SELECT
    minute >= {period_start:DateTime('UTC')} AS is_current,
    toUnixTimestamp(toDateTime(dateTrunc({grain:String}, minute, {timezone:String}), {timezone:String})) AS bucket,
    sum(orders) AS orders,
    sum(units) AS units,
    sum(gross_minor) AS gross_minor,
    sum(shipping_minor) AS shipping_minor
FROM marketplace_cancellations_minute FINAL
WHERE currency = {currency:String}
    AND minute >= {previous_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY is_current, bucket
