-- Orders that were cancelled because stock was missing or the payment failed.
SELECT
    time,
    sum(no_stock) AS no_stock,
    sum(no_payment) AS no_payment
FROM
(
    SELECT
        toStartOfInterval(occurred_at, toIntervalSecond({interval_s:UInt32})) AS time,
        uniqExact(order_id) AS no_stock,
        0 AS no_payment
    FROM stock_refused
    WHERE occurred_at >= {period_start:DateTime('UTC')} AND occurred_at < {period_end:DateTime('UTC')}
    GROUP BY time
    UNION ALL
    SELECT
        toStartOfInterval(occurred_at, toIntervalSecond({interval_s:UInt32})) AS time,
        0 AS no_stock,
        uniqExact(order_id) AS no_payment
    FROM payment_failed
    WHERE final
        AND occurred_at >= {period_start:DateTime('UTC')} AND occurred_at < {period_end:DateTime('UTC')}
    GROUP BY time
)
GROUP BY time
ORDER BY time
