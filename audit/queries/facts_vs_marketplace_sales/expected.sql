-- Sales, cancellations and returns of the whole marketplace by the minute in which the order was placed, from the
-- facts; orders without lines count too.
WITH
    confirmed AS (SELECT DISTINCT order_id FROM order_confirmed),
    refunded AS (SELECT DISTINCT return_id FROM payment_refunded WHERE return_id IS NOT NULL),
    sold AS
    (
        SELECT
            toStartOfMinute(occurred_at) AS minute, currency,
            uniqExact(order_id) AS orders, sum(length(placed.lines)) AS lines,
            sum(arraySum(placed.lines.quantity)) AS units,
            sum(arraySum(line -> line.quantity * line.unit_price_minor, placed.lines)) AS gross_minor,
            sum(arraySum(placed.lines.discount_minor)) AS discount_minor,
            sum(arraySum(placed.lines.shipping_minor)) AS shipping_minor
        FROM order_placed AS placed FINAL
        WHERE order_id IN (confirmed)
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
        WHERE order_id IN (confirmed)
        GROUP BY minute, currency
    ),
    returned AS
    (
        SELECT
            toStartOfMinute(placed_at) AS minute, currency,
            sum(arraySum(lines.quantity)) AS units, sum(arraySum(lines.refund_minor)) AS refund_minor
        FROM (SELECT * FROM order_returned FINAL ORDER BY occurred_at, event_id LIMIT 1 BY return_id)
        WHERE return_id IN (refunded)
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
