-- Every line that was sold, cancelled or refunded, and every payout, at its own time, from the facts.
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
    ),
    paid AS (SELECT * FROM payout_paid FINAL ORDER BY occurred_at, event_id LIMIT 1 BY payout_id)
SELECT
    'sold' AS kind, line.seller_id AS seller_id, toUnixTimestamp64Milli(occurred_at) AS at_ms,
    toInt64(line.quantity * line.unit_price_minor - line.discount_minor) AS amount, toInt64(line.shipping_minor) AS shipping,
    toInt64(line.commission_bp) AS commission_bp
FROM confirmed
ARRAY JOIN confirmed.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'cancelled', line.seller_id, toUnixTimestamp64Milli(occurred_at),
    toInt64(line.quantity * line.unit_price_minor - line.discount_minor), toInt64(line.shipping_minor), toInt64(line.commission_bp)
FROM cancelled
ARRAY JOIN cancelled.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'refunded', assumeNotNull(refunded.seller_id), toUnixTimestamp64Milli(occurred_at), toInt64(line.refund_minor), toInt64(0), toInt64(0)
FROM refunded
ARRAY JOIN refunded.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT 'paid', seller_id, toUnixTimestamp64Milli(occurred_at), toInt64(amount_minor), toInt64(0), toInt64(0)
FROM paid
WHERE currency = {currency:String}
