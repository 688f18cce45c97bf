-- Sales and cancellations of the whole marketplace by the minute in which the order was placed, added up again from the
-- facts; orders without lines count too.
WITH
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
        GROUP BY minute, currency
    ),
    cancelled AS
    (
        SELECT
            toStartOfMinute(placed_at) AS minute, currency,
            uniqExact(order_id) AS orders, sum(arraySum(lines.quantity)) AS units,
            sum(arraySum(line -> line.quantity * line.unit_price_minor, lines)) AS gross_minor,
            sum(arraySum(lines.shipping_minor)) AS shipping_minor
        FROM order_cancelled FINAL
        GROUP BY minute, currency
    )
SELECT
    toString(minute) AS minute, toString(currency) AS currency,
    sold.orders AS orders, sold.lines AS lines, sold.units AS units, sold.gross_minor AS gross_minor,
    sold.discount_minor AS discount_minor, sold.shipping_minor AS shipping_minor,
    cancelled.orders AS cancelled_orders, cancelled.units AS cancelled_units,
    cancelled.gross_minor AS cancelled_gross_minor, cancelled.shipping_minor AS cancelled_shipping_minor
FROM sold
FULL OUTER JOIN cancelled USING (minute, currency)
