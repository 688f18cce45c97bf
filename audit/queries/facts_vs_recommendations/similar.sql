-- The similar products of each product (docs/architecture.md, Redis), from the facts. The query returns more than are
-- compared, so that equal scores at the end do not matter. `least` is from visits of the last days only, because older
-- visits may have expired.
WITH
touches AS (
    SELECT concat(visitor, ':', toString(intDiv(touched_s, 86400))) AS visit_id, product_id, weight, touched_s, ingested_at
    FROM (
        SELECT ifNull(shopper_id, session_id) AS visitor, product_id, 1 AS weight, toUnixTimestamp(occurred_at) AS touched_s,
            ingested_at
        FROM product_viewed FINAL
        UNION ALL
        SELECT ifNull(shopper_id, session_id), product_id, 2, toUnixTimestamp(occurred_at), ingested_at FROM cart_changed FINAL
        WHERE quantity > quantity_before AND reason IS NULL
        UNION ALL
        SELECT concat('order:', shopper_id), line.product_id, 3, toUnixTimestamp(occurred_at), ingested_at
        FROM order_placed FINAL
        ARRAY JOIN order_placed.lines AS line
    )
),
visits AS (
    SELECT visit_id, arraySlice(arraySort(groupArray((first_s, product_id, weight))), 1, 10) AS items, min(came_in) AS came_in
    FROM (
        SELECT visit_id, product_id, max(weight) AS weight, min(touched_s) AS first_s, min(ingested_at) AS came_in
        FROM touches
        GROUP BY visit_id, product_id
    )
    GROUP BY visit_id
),
pairs AS (
    SELECT
        item.2 AS owner,
        other.2 AS member,
        item.3 * other.3 * exp2((toInt64(greatest(item.1, other.1)) - 1451606400) / (86400. * 14)) AS strength,
        came_in
    FROM visits
    ARRAY JOIN items AS item
    ARRAY JOIN items AS other
    WHERE item.2 != other.2
)
SELECT
    owner,
    member,
    sum(strength) AS score,
    sumOrNullIf(strength, came_in > now() - toIntervalDay({days:UInt32})) AS least
FROM pairs
GROUP BY owner, member
ORDER BY score DESC
LIMIT 96 BY owner
