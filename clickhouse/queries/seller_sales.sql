-- What a seller sold in a period and in the one before it, and what of it was cancelled, by bucket.
SELECT
    minute >= {period_start:DateTime('UTC')} AS is_current,
    toUnixTimestamp(toDateTime(dateTrunc({grain:String}, minute, {timezone:String}), {timezone:String})) AS bucket,
    max(minute) AS newest_minute, -- in whatever currency: a period that is left open ends with it
    sumIf(orders, currency = {currency:String}) AS orders,
    sumIf(lines, currency = {currency:String}) AS lines,
    sumIf(units, currency = {currency:String}) AS units,
    sumIf(gross_minor, currency = {currency:String}) AS gross_minor,
    sumIf(discount_minor, currency = {currency:String}) AS discount_minor,
    sumIf(shipping_minor, currency = {currency:String}) AS shipping_minor,
    sumIf(cancelled_orders, currency = {currency:String}) AS cancelled_orders,
    sumIf(cancelled_units, currency = {currency:String}) AS cancelled_units,
    sumIf(cancelled_gross_minor, currency = {currency:String}) AS cancelled_gross_minor,
    sumIf(cancelled_shipping_minor, currency = {currency:String}) AS cancelled_shipping_minor
FROM
(
    SELECT
        minute,
        currency,
        orders,
        lines,
        units,
        gross_minor,
        discount_minor,
        shipping_minor,
        0 AS cancelled_orders,
        0 AS cancelled_units,
        0 AS cancelled_gross_minor,
        0 AS cancelled_shipping_minor
    FROM seller_sales_minute FINAL
    WHERE seller_id = {seller_id:String}
        AND minute >= {previous_start:DateTime('UTC')}
        AND minute < {period_end:DateTime('UTC')}
    UNION ALL
    SELECT minute, currency, 0, 0, 0, 0, 0, 0, orders, units, gross_minor, shipping_minor
    FROM seller_cancellations_minute FINAL
    WHERE seller_id = {seller_id:String}
        AND minute >= {previous_start:DateTime('UTC')}
        AND minute < {period_end:DateTime('UTC')}
)
GROUP BY is_current, bucket
