-- Refunds to shoppers, by reason and by the time of the refund.
SELECT
    toDateTime(dateTrunc({grain:String}, occurred_at, {timezone:String}), {timezone:String}) AS time,
    reason,
    sum(amount_minor) / {minor_units:UInt32} AS amount
FROM payment_refunded FINAL
WHERE currency = {currency:String}
    AND occurred_at >= {period_start:DateTime('UTC')}
    AND occurred_at < {period_end:DateTime('UTC')}
GROUP BY time, reason
ORDER BY time
