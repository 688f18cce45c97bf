-- When each seller's newest parcel of an order left and arrived, from the facts.
SELECT
    order_id, seller_id, toString(maxIf(at, kind = 'shipped')) AS shipped_at,
    toString(maxIf(at, kind = 'delivered')) AS delivered_at
FROM
(
    SELECT 'shipped' AS kind, order_id, seller_id, toNullable(occurred_at) AS at FROM order_shipped FINAL
    UNION ALL
    SELECT 'delivered', order_id, seller_id, toNullable(occurred_at) FROM order_delivered FINAL
)
GROUP BY order_id, seller_id
