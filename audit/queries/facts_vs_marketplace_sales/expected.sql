-- Sales, cancellations and returns of the whole marketplace by the minute in which the order was placed, from the
-- facts; orders without lines count too.
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
            toStartOfMinute(assumeNotNull(placed_at)) AS minute, assumeNotNull(currency) AS currency,
            uniqExact(order_id) AS orders, sum(length(booked.lines)) AS lines,
            sum(arraySum(booked.lines.quantity)) AS units,
            sum(arraySum(line -> line.quantity * line.unit_price_minor, booked.lines)) AS gross_minor,
            sum(arraySum(booked.lines.discount_minor)) AS discount_minor,
            sum(arraySum(booked.lines.shipping_minor)) AS shipping_minor
        FROM booked
        GROUP BY minute, currency
    ),
    cancelled AS
    (
        SELECT
            toStartOfMinute(placed_at) AS minute, currency,
            uniqExact(order_id) AS orders, sum(arraySum(lines.quantity)) AS units,
            sum(arraySum(line -> line.quantity * line.unit_price_minor, lines)) AS gross_minor,
            sum(arraySum(lines.discount_minor)) AS discount_minor,
            sum(arraySum(lines.shipping_minor)) AS shipping_minor
        FROM order_cancelled FINAL
        WHERE confirmed_at IS NOT NULL
        GROUP BY minute, currency
    ),
    returned AS
    (
        SELECT
            toStartOfMinute(assumeNotNull(placed_at)) AS minute, currency,
            sum(arraySum(lines.quantity)) AS units, sum(arraySum(line -> line.refund_minor + ifNull(line.marketplace_minor, 0), lines)) AS refund_minor
        FROM refunded
        GROUP BY minute, currency
    )
SELECT
    toString(minute) AS minute, toString(currency) AS currency,
    ifNull(sold.orders, 0) AS orders, ifNull(sold.lines, 0) AS lines, ifNull(sold.units, 0) AS units, ifNull(sold.gross_minor, 0) AS gross_minor,
    ifNull(sold.discount_minor, 0) AS discount_minor, ifNull(sold.shipping_minor, 0) AS shipping_minor,
    ifNull(cancelled.orders, 0) AS cancelled_orders, ifNull(cancelled.units, 0) AS cancelled_units,
    ifNull(cancelled.gross_minor, 0) AS cancelled_gross_minor, ifNull(cancelled.discount_minor, 0) AS cancelled_discount_minor,
    ifNull(cancelled.shipping_minor, 0) AS cancelled_shipping_minor,
    ifNull(returned.units, 0) AS returned_units, ifNull(returned.refund_minor, 0) AS returned_minor,
    ifNull(sold.gross_minor - sold.discount_minor, 0) - ifNull(cancelled.gross_minor - cancelled.discount_minor, 0)
        - ifNull(returned.refund_minor, 0) AS revenue_minor
FROM sold
FULL OUTER JOIN cancelled USING (minute, currency)
FULL OUTER JOIN returned USING (minute, currency)
