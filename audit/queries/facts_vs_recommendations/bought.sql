-- When each shopper last bought each product, from the facts: half a second more if the order was confirmed, and 0 if
-- all orders of the product were cancelled. `least` is from the last days only, because older facts may have expired.
SELECT
    shopper_id AS owner,
    member,
    max(bought_s) AS score,
    maxOrNullIf(bought_s, ingested_at > now() - toIntervalDay({days:UInt32})) AS least
FROM
(
    SELECT
        shopper_id,
        lines.product_id AS members,
        multiIf(
            order_id IN (SELECT order_id FROM order_cancelled), 0.,
            order_id IN (SELECT order_id FROM order_confirmed WHERE notEmpty(lines)), toUnixTimestamp(occurred_at) + 0.5,
            toFloat64(toUnixTimestamp(occurred_at))
        ) AS bought_s,
        ingested_at
    FROM order_placed FINAL
    UNION ALL
    -- An order whose placement is not among the events, such as the first ones of a replayed slice.
    SELECT
        shopper_id,
        lines.product_id AS members,
        if(
            order_id IN (SELECT order_id FROM order_cancelled), 0., toUnixTimestamp(ifNull(placed_at, occurred_at)) + 0.5
        ) AS bought_s,
        ingested_at
    FROM order_confirmed FINAL
    UNION ALL
    SELECT shopper_id, lines.product_id AS members, 0. AS bought_s, ingested_at
    FROM order_cancelled FINAL
)
ARRAY JOIN members AS member
GROUP BY owner, member
ORDER BY score DESC, member DESC
LIMIT 200 BY owner
