-- Every line that was sold, cancelled or refunded, at its own time, and every step of every parcel, from the facts.
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
    'sold' AS kind, line.seller_id AS seller_id, order_id, toUnixTimestamp64Milli(occurred_at) AS at_ms,
    toInt64(line.quantity * line.unit_price_minor - line.discount_minor) AS amount, toInt64(line.shipping_minor) AS shipping,
    toInt64(line.commission_bp) AS commission_bp
FROM confirmed
ARRAY JOIN confirmed.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'cancelled', line.seller_id, order_id, toUnixTimestamp64Milli(occurred_at),
    toInt64(line.quantity * line.unit_price_minor - line.discount_minor), toInt64(line.shipping_minor), toInt64(line.commission_bp)
FROM cancelled
ARRAY JOIN cancelled.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'refunded', assumeNotNull(refunded.seller_id), order_id, toUnixTimestamp64Milli(occurred_at), toInt64(line.refund_minor), toInt64(0),
    toInt64(0)
FROM refunded
ARRAY JOIN refunded.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT 'step_shipped', seller_id, order_id, toUnixTimestamp64Milli(occurred_at), toInt64(0), toInt64(0), toInt64(0) FROM order_shipped
UNION ALL
SELECT 'step_delivered', seller_id, order_id, toUnixTimestamp64Milli(occurred_at), toInt64(0), toInt64(0), toInt64(0) FROM order_delivered
UNION ALL
SELECT
    'step_cancelled', arrayJoin(arrayDistinct(lines.seller_id)), order_id, toUnixTimestamp64Milli(occurred_at), toInt64(0), toInt64(0),
    toInt64(0)
FROM order_cancelled
