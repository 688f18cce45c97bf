-- Every confirmed order for each of its sellers, with its shopper, from the facts; only those in the shop's currency count.
SELECT
    arrayJoin(arrayDistinct(lines.seller_id)) AS seller_id, shopper_id, order_id,
    toUnixTimestamp64Milli(assumeNotNull(placed_at)) AS placed_ms, toInt64(currency = {currency:String}) AS counts,
    toInt64((seller_id, order_id) IN (SELECT arrayJoin(lines.seller_id), order_id FROM order_cancelled WHERE confirmed_at IS NOT NULL)) AS cancelled
FROM (SELECT * FROM order_confirmed FINAL WHERE placed_at IS NOT NULL ORDER BY occurred_at, event_id LIMIT 1 BY order_id)
