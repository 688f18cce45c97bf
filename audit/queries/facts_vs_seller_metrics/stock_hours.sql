-- Every change of a seller's stock, every line that was sold or cancelled, and the clock, from the facts.
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
    'stock' AS kind, seller_id, product_id, version, toUnixTimestamp64Milli(occurred_at) AS at_ms, toInt64(on_hand - reserved) AS units,
    toInt64(0) AS amount, toUnixTimestamp64Milli(now64(3)) AS now_ms
FROM stock_changed
UNION ALL
SELECT
    'sold', line.seller_id, line.product_id, toInt64(0), toUnixTimestamp64Milli(assumeNotNull(placed_at)), toInt64(line.quantity),
    toInt64(line.quantity * line.unit_price_minor - line.discount_minor), toInt64(0)
FROM confirmed
ARRAY JOIN confirmed.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'cancelled', line.seller_id, line.product_id, toInt64(0), toUnixTimestamp64Milli(placed_at), -toInt64(line.quantity),
    -toInt64(line.quantity * line.unit_price_minor - line.discount_minor), toInt64(0)
FROM cancelled
ARRAY JOIN cancelled.lines AS line
WHERE currency = {currency:String}
