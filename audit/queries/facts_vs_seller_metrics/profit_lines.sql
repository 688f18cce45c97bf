-- Every line that was sold, cancelled or refunded, with the time of its order, and every cost that a seller has set, from the facts.
WITH
    confirmed AS
    (
        SELECT * FROM order_confirmed FINAL WHERE placed_at IS NOT NULL ORDER BY occurred_at, event_id LIMIT 1 BY order_id
    ),
    cancelled AS
    (
        SELECT * FROM order_cancelled FINAL WHERE confirmed_at IS NOT NULL ORDER BY occurred_at, event_id LIMIT 1 BY order_id
    ),
    refunded AS
    (
        SELECT * FROM payment_refunded FINAL
        WHERE return_id IS NOT NULL AND seller_id IS NOT NULL
        ORDER BY occurred_at, event_id
        LIMIT 1 BY return_id
    )
SELECT
    'sold' AS kind, line.seller_id AS seller_id, line.product_id AS product_id, toUnixTimestamp64Milli(occurred_at) AS at_ms,
    toUnixTimestamp64Milli(assumeNotNull(placed_at)) AS placed_ms, toInt64(line.quantity) AS units,
    toInt64(line.quantity * line.unit_price_minor - line.discount_minor) AS amount, toInt64(line.shipping_minor) AS shipping,
    toInt64(line.commission_bp) AS commission_bp, toInt64(0) AS version, toInt64(1) AS counts
FROM confirmed
ARRAY JOIN confirmed.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'cancelled', line.seller_id, line.product_id, toUnixTimestamp64Milli(occurred_at), toUnixTimestamp64Milli(placed_at),
    toInt64(line.quantity), toInt64(line.quantity * line.unit_price_minor - line.discount_minor), toInt64(line.shipping_minor),
    toInt64(line.commission_bp), toInt64(0), toInt64(1)
FROM cancelled
ARRAY JOIN cancelled.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'refunded', assumeNotNull(refunded.seller_id), line.product_id, toUnixTimestamp64Milli(occurred_at),
    ifNull(toUnixTimestamp64Milli(placed_at), 0), toInt64(line.quantity), toInt64(line.refund_minor), toInt64(0), toInt64(0), toInt64(0),
    toInt64(1)
FROM refunded
ARRAY JOIN refunded.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'cost', seller_id, product_id, toUnixTimestamp64Milli(valid_from), toInt64(0), toInt64(0), unit_cost_minor, toInt64(0),
    toInt64(0), version, toInt64(NOT removed AND currency = {currency:String})
FROM product_cost_set
