-- An order that names its visit: a step for each of its sellers. Without lines it is no step.
SELECT
    assumeNotNull(order_placed.session_id) AS session_id,
    occurred_at AS first_at,
    occurred_at AS last_at,
    if(
        empty(lines.seller_id),
        [(toUnixTimestamp64Milli(occurred_at), toUInt8(0), '', '')],
        arrayMap(seller -> (toUnixTimestamp64Milli(occurred_at), toUInt8(3), order_placed.order_id, seller), arrayDistinct(lines.seller_id))
    ) AS steps
FROM order_placed
WHERE order_placed.session_id IS NOT NULL
