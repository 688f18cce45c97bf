-- The orders placed in the period, by the furthest step that they reached.
SELECT
    toString(status) AS step,
    count() AS order_count
FROM order_state
WHERE currency = {currency:String}
    AND placed_at >= {period_start:DateTime('UTC')}
    AND placed_at < {period_end:DateTime('UTC')}
GROUP BY status
ORDER BY status
