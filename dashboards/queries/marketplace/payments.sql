-- What shoppers paid, by method and by the time of capture.
SELECT
    toDateTime(dateTrunc({grain:String}, minute, {timezone:String}), {timezone:String}) AS time,
    method,
    sum(amount_minor) / {minor_units:UInt32} AS amount
FROM payments_minute
WHERE currency = {currency:String}
    AND minute >= {period_start:DateTime('UTC')}
    AND minute < {period_end:DateTime('UTC')}
GROUP BY time, method
ORDER BY time
