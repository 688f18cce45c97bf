-- Every change of a seller's stock, and every line that was sold or cancelled, from the facts.
WITH
    confirmed AS
    (
        SELECT * FROM order_confirmed FINAL WHERE placed_at IS NOT NULL ORDER BY occurred_at, event_id LIMIT 1 BY order_id
    ),
    cancelled AS
    (
        SELECT * FROM order_cancelled FINAL WHERE confirmed_at IS NOT NULL ORDER BY occurred_at, event_id LIMIT 1 BY order_id
    )
SELECT
    'stock' AS kind, seller_id, product_id, version, toUnixTimestamp64Milli(occurred_at) AS at_ms, toInt64(on_hand - reserved) AS units
FROM stock_changed
UNION ALL
SELECT 'sold', line.seller_id, line.product_id, toInt64(0), toUnixTimestamp64Milli(assumeNotNull(placed_at)), toInt64(line.quantity)
FROM confirmed
ARRAY JOIN confirmed.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT 'cancelled', line.seller_id, line.product_id, toInt64(0), toUnixTimestamp64Milli(placed_at), -toInt64(line.quantity)
FROM cancelled
ARRAY JOIN cancelled.lines AS line
WHERE currency = {currency:String}
