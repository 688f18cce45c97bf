-- Sales, cancellations and returns by seller and the minute in which the order was placed, from the facts.
WITH
    booked AS
    (
        SELECT * FROM order_confirmed FINAL
        WHERE placed_at IS NOT NULL
        ORDER BY occurred_at, event_id
        LIMIT 1 BY order_id
    ),
    refunded AS
    (
        SELECT * FROM payment_refunded FINAL
        WHERE return_id IS NOT NULL AND seller_id IS NOT NULL
        ORDER BY occurred_at, event_id
        LIMIT 1 BY return_id
    ),
    sold AS
    (
        SELECT
            line.seller_id AS seller_id, toStartOfMinute(assumeNotNull(placed_at)) AS minute, assumeNotNull(currency) AS currency,
            uniqExact(order_id) AS orders, count() AS lines, sum(line.quantity) AS units,
            sum(line.quantity * line.unit_price_minor) AS gross_minor, sum(line.discount_minor) AS discount_minor,
            sum(line.shipping_minor) AS shipping_minor
        FROM booked
        ARRAY JOIN booked.lines AS line
        GROUP BY ALL
    ),
    cancelled AS
    (
        SELECT
            line.seller_id AS seller_id, toStartOfMinute(placed_at) AS minute, currency,
            uniqExact(order_id) AS orders, sum(line.quantity) AS units,
            sum(line.quantity * line.unit_price_minor) AS gross_minor, sum(line.discount_minor) AS discount_minor,
            sum(line.shipping_minor) AS shipping_minor
        FROM order_cancelled FINAL
        ARRAY JOIN order_cancelled.lines AS line
        WHERE confirmed_at IS NOT NULL
        GROUP BY ALL
    ),
    returned AS
    (
        SELECT
            assumeNotNull(refunded.seller_id) AS seller_id, toStartOfMinute(assumeNotNull(placed_at)) AS minute, currency,
            sum(line.quantity) AS units, sum(line.refund_minor + ifNull(line.marketplace_minor, 0)) AS refund_minor
        FROM refunded
        ARRAY JOIN refunded.lines AS line
        GROUP BY ALL
    )
SELECT
    seller_id, toString(minute) AS minute, toString(currency) AS currency,
    ifNull(sold.orders, 0) AS orders, ifNull(sold.lines, 0) AS lines, ifNull(sold.units, 0) AS units, ifNull(sold.gross_minor, 0) AS gross_minor,
    ifNull(sold.discount_minor, 0) AS discount_minor, ifNull(sold.shipping_minor, 0) AS shipping_minor,
    ifNull(cancelled.orders, 0) AS cancelled_orders, ifNull(cancelled.units, 0) AS cancelled_units,
    ifNull(cancelled.gross_minor, 0) AS cancelled_gross_minor, ifNull(cancelled.discount_minor, 0) AS cancelled_discount_minor,
    ifNull(cancelled.shipping_minor, 0) AS cancelled_shipping_minor,
    ifNull(returned.units, 0) AS returned_units, ifNull(returned.refund_minor, 0) AS returned_minor,
    ifNull(sold.gross_minor - sold.discount_minor, 0) - ifNull(cancelled.gross_minor - cancelled.discount_minor, 0)
        - ifNull(returned.refund_minor, 0) AS revenue_minor
FROM sold
FULL OUTER JOIN cancelled USING (seller_id, minute, currency)
FULL OUTER JOIN returned USING (seller_id, minute, currency)
