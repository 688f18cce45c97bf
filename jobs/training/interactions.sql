-- The newest {limit:UInt64} views, additions to carts and bought lines, oldest first. An anonymous session counts as
-- a separate shopper.
SELECT user, item, weight, time
FROM
(
    SELECT user, item, weight, time
    FROM
    (
        SELECT ifNull(shopper_id, session_id) AS user, product_id AS item, {viewed:Float64} AS weight,
            toUnixTimestamp(occurred_at) AS time
        FROM product_viewed FINAL
        UNION ALL
        SELECT ifNull(shopper_id, session_id), product_id, {carted:Float64}, toUnixTimestamp(occurred_at)
        FROM cart_changed FINAL
        WHERE quantity > quantity_before
        UNION ALL
        SELECT shopper_id, product_id, {bought:Float64}, toUnixTimestamp(placed_at)
        FROM order_lines
    )
    ORDER BY time DESC, user, item
    LIMIT {limit:UInt64}
)
ORDER BY time, user, item
