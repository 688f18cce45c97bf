-- Every line that was sold, cancelled, or returned and refunded, from the facts.
WITH
    confirmed AS
    (
        SELECT * FROM order_confirmed FINAL
        WHERE placed_at IS NOT NULL
        ORDER BY occurred_at, event_id
        LIMIT 1 BY order_id
    ),
    cancelled AS
    (
        SELECT * FROM order_cancelled FINAL
        WHERE confirmed_at IS NOT NULL
        ORDER BY occurred_at, event_id
        LIMIT 1 BY order_id
    ),
    refunded AS
    (
        SELECT * FROM payment_refunded FINAL
        WHERE return_id IS NOT NULL AND seller_id IS NOT NULL AND placed_at IS NOT NULL
        ORDER BY occurred_at, event_id
        LIMIT 1 BY return_id
    )
SELECT
    'sold' AS kind, line.seller_id AS seller_id, order_id, toUnixTimestamp64Milli(assumeNotNull(placed_at)) AS placed_ms,
    toInt64(line.quantity) AS units, toInt64(line.quantity * line.unit_price_minor) AS gross, toInt64(line.discount_minor) AS discount,
    toInt64(line.shipping_minor) AS shipping, toInt64(line.tax_minor) AS tax, toInt64(0) AS refund
FROM confirmed
ARRAY JOIN confirmed.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'cancelled', line.seller_id, order_id, toUnixTimestamp64Milli(placed_at),
    toInt64(line.quantity), toInt64(line.quantity * line.unit_price_minor), toInt64(line.discount_minor),
    toInt64(line.shipping_minor), toInt64(line.tax_minor), toInt64(0)
FROM cancelled
ARRAY JOIN cancelled.lines AS line
WHERE currency = {currency:String}
UNION ALL
SELECT
    'returned', assumeNotNull(refunded.seller_id), order_id, toUnixTimestamp64Milli(assumeNotNull(placed_at)),
    toInt64(line.quantity), toInt64(0), toInt64(0), toInt64(0), toInt64(0), toInt64(line.refund_minor)
FROM refunded
ARRAY JOIN refunded.lines AS line
WHERE currency = {currency:String}
