-- The state of each order from the facts: the newest event of each kind, and the furthest status.
SELECT
    order_id,
    max(shopper) AS shopper_id,
    max(money) AS currency,
    toString(maxIf(at, kind = 'placed')) AS placed_at,
    toString(maxIf(at, kind = 'confirmed')) AS confirmed_at,
    toString(maxIf(at, kind = 'shipped')) AS shipped_at,
    toString(maxIf(at, kind = 'delivered')) AS delivered_at,
    toString(maxIf(at, kind = 'cancelled')) AS cancelled_at,
    multiIf(
        countIf(kind = 'cancelled') > 0, 'cancelled',
        countIf(kind = 'delivered') > 0, 'delivered',
        countIf(kind = 'shipped') > 0, 'shipped',
        countIf(kind = 'confirmed') > 0, 'confirmed',
        'placed'
    ) AS status
FROM
(
    SELECT 'placed' AS kind, order_id, shopper_id AS shopper, toString(currency) AS money, toNullable(occurred_at) AS at
    FROM order_placed FINAL
    UNION ALL
    SELECT 'placed', order_id, '', '', toNullable(placed_at) FROM order_cancelled FINAL
    UNION ALL
    SELECT 'confirmed', order_id, shopper_id, '', toNullable(occurred_at) FROM order_confirmed FINAL
    UNION ALL
    SELECT 'shipped', order_id, '', '', toNullable(occurred_at) FROM order_shipped FINAL
    UNION ALL
    SELECT 'delivered', order_id, '', '', toNullable(occurred_at) FROM order_delivered FINAL
    UNION ALL
    SELECT 'cancelled', order_id, shopper_id, toString(currency), toNullable(occurred_at) FROM order_cancelled FINAL
)
GROUP BY order_id
