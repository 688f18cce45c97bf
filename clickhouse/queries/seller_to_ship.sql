-- A seller's confirmed orders since a moment without a parcel of theirs, the longest waiting first, and how many.
SELECT
    waiting.order_id AS order_id,
    toUnixTimestamp64Milli(bought.placed_at) AS placed_ms,
    toUnixTimestamp64Milli(waiting.confirmed_at) AS confirmed_ms,
    bought.units AS units,
    bought.lines AS lines,
    count() OVER () AS orders,
    sum(bought.units) OVER () AS all_units
FROM
(
    SELECT state.order_id AS order_id, assumeNotNull(max(state.confirmed_at)) AS confirmed_at
    FROM order_state AS state
    WHERE state.order_id IN (
        SELECT order_id FROM order_lines
        WHERE seller_id = {seller_id:String} AND placed_at >= {since:DateTime('UTC')}
    )
    GROUP BY order_id
    HAVING max(state.confirmed_at) IS NOT NULL
        AND max(state.cancelled_at) IS NULL
        AND max(mapContains(state.shipped_by, {seller_id:String})) = 0
        AND max(mapContains(state.delivered_by, {seller_id:String})) = 0
) AS waiting
INNER JOIN
(
    SELECT
        line.order_id AS order_id,
        min(line.placed_at) AS placed_at,
        sum(line.quantity) AS units,
        arraySort(groupArray((line.line_number, line.product_id, line.quantity))) AS lines
    FROM order_lines AS line
    WHERE line.seller_id = {seller_id:String} AND line.placed_at >= {since:DateTime('UTC')}
    GROUP BY line.order_id
) AS bought ON bought.order_id = waiting.order_id
ORDER BY waiting.confirmed_at, waiting.order_id
LIMIT {limit:UInt32}
