-- How far the orders placed in the period have come.
SELECT
    toString(status) AS step,
    count() AS order_count
FROM order_state FINAL
WHERE currency = {currency:String}
    AND placed_at >= {period_start:DateTime('UTC')}
    AND placed_at < {period_end:DateTime('UTC')}
GROUP BY status
ORDER BY status
