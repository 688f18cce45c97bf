-- Every line that came back, and every line that was refunded, from the facts.
WITH
    returned AS (SELECT * FROM order_returned FINAL ORDER BY occurred_at, event_id LIMIT 1 BY return_id),
    refunded AS
    (
        SELECT * FROM payment_refunded FINAL
        WHERE return_id IS NOT NULL AND seller_id IS NOT NULL
        ORDER BY occurred_at, event_id
        LIMIT 1 BY return_id
    )
SELECT
    'returned' AS kind, seller_id, return_id, toUnixTimestamp64Milli(occurred_at) AS at_ms, toInt64(line.quantity) AS units,
    toInt64(line.refund_minor) AS refund, toInt64(line.restocked) AS restocked
FROM returned
ARRAY JOIN returned.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'refunded', assumeNotNull(refunded.seller_id), assumeNotNull(refunded.return_id), toUnixTimestamp64Milli(occurred_at),
    toInt64(line.quantity), toInt64(line.refund_minor), toInt64(0)
FROM refunded
ARRAY JOIN refunded.lines AS line
WHERE currency = {currency:String}
