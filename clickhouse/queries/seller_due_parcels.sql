-- A seller's confirmed orders since a moment of which they shipped nothing, the earliest promise first, and how many.
SELECT
    waiting.order_id AS order_id,
    toUnixTimestamp64Milli(bought.placed_at) AS placed_ms,
    toUnixTimestamp64Milli(waiting.confirmed_at) AS confirmed_ms,
    toUnixTimestamp64Milli(waiting.promised_at) AS promised_ms,
    bought.units AS units,
    bought.lines AS lines,
    count() OVER () AS orders,
    sum(bought.units) OVER () AS all_units,
    countIf(waiting.promised_at < {overdue_before:DateTime64(3, 'UTC')}) OVER () AS overdue,
    countIf(waiting.promised_at < {soon_before:DateTime64(3, 'UTC')}) OVER () AS overdue_or_soon
FROM
(
    SELECT order_id, assumeNotNull(parcel.confirmed_at) AS confirmed_at, parcel.promised_at AS promised_at
    FROM parcels AS parcel
    WHERE seller_id = {seller_id:String}
        AND parcel.confirmed_at IS NOT NULL
        AND parcel.shipped_at IS NULL
        AND parcel.delivered_at IS NULL
        AND parcel.cancelled_at IS NULL
) AS waiting
INNER JOIN
(
    SELECT
        line.order_id AS order_id,
        min(line.placed_at) AS placed_at,
        sum(line.quantity) AS units,
        arraySort(groupArray((line.line_number, line.product_id, line.quantity))) AS lines
    FROM order_lines AS line
    WHERE seller_id = {seller_id:String} AND line.placed_at >= {since:DateTime('UTC')}
    GROUP BY line.order_id
) AS bought ON bought.order_id = waiting.order_id
ORDER BY isNull(waiting.promised_at), waiting.promised_at, waiting.confirmed_at, waiting.order_id
LIMIT {limit:UInt32}
