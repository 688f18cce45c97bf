-- The newest {limit:UInt64} views, additions to carts and bought lines, oldest first. An anonymous session counts as
-- a separate shopper. What a visitor does to a product counts once a day, for the first {daily:UInt64} products of each
-- kind, so that no robot fills the log or makes a product popular.
SELECT user, item, weight, time
FROM
(
    SELECT user, item, weight, time
    FROM
    (
        SELECT user, item, weight, min(at) AS time
        FROM
        (
            SELECT ifNull(shopper_id, session_id) AS user, product_id AS item, {viewed:Float64} AS weight,
                toUnixTimestamp(occurred_at) AS at
            FROM product_viewed FINAL
            UNION ALL
            SELECT ifNull(shopper_id, session_id), product_id, {carted:Float64}, toUnixTimestamp(occurred_at)
            FROM cart_changed FINAL
            WHERE quantity > quantity_before AND reason IS NULL
            UNION ALL
            SELECT shopper_id, product_id, {bought:Float64}, toUnixTimestamp(placed_at)
            FROM order_lines
        )
        GROUP BY user, item, weight, intDiv(at, 86400)
        ORDER BY user, weight, time, item
        LIMIT {daily:UInt64} BY user, weight, intDiv(time, 86400)
    )
    ORDER BY time DESC, user, item
    LIMIT {limit:UInt64}
)
ORDER BY time, user, item
