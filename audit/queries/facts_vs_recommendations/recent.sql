-- The last products that each shopper viewed, from the facts; equal times are ordered by product, as in Redis.
-- `least` is from the last days only, because older facts may have expired.
SELECT
    shopper AS owner,
    product_id AS member,
    toFloat64(max(seen_s)) AS score,
    toFloat64(maxOrNullIf(seen_s, ingested_at > now() - toIntervalDay({days:UInt32}))) AS least
FROM (
    SELECT assumeNotNull(shopper_id) AS shopper, product_id, toUnixTimestamp(occurred_at) AS seen_s, ingested_at
    FROM product_viewed FINAL
    WHERE shopper_id IS NOT NULL
    UNION ALL
    SELECT assumeNotNull(shopper_id), product_id, toUnixTimestamp(occurred_at), ingested_at
    FROM cart_changed FINAL
    WHERE shopper_id IS NOT NULL AND quantity > quantity_before AND reason IS NULL
)
GROUP BY owner, member
ORDER BY score DESC, member DESC
LIMIT 20 BY owner
