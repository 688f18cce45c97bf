-- Sales and cancellations by seller and the minute in which the order was placed, added up again from the facts.
WITH
    sold AS
    (
        SELECT
            line.seller_id AS seller_id, toStartOfMinute(occurred_at) AS minute, currency,
            uniqExact(order_id) AS orders, count() AS lines, sum(line.quantity) AS units,
            sum(line.quantity * line.unit_price_minor) AS gross_minor, sum(line.discount_minor) AS discount_minor,
            sum(line.shipping_minor) AS shipping_minor
        FROM order_placed FINAL
        ARRAY JOIN order_placed.lines AS line
        GROUP BY ALL
    ),
    cancelled AS
    (
        SELECT
            line.seller_id AS seller_id, toStartOfMinute(placed_at) AS minute, currency,
            uniqExact(order_id) AS orders, sum(line.quantity) AS units,
            sum(line.quantity * line.unit_price_minor) AS gross_minor, sum(line.shipping_minor) AS shipping_minor
        FROM order_cancelled FINAL
        ARRAY JOIN order_cancelled.lines AS line
        GROUP BY ALL
    )
SELECT
    seller_id, toString(minute) AS minute, toString(currency) AS currency,
    sold.orders AS orders, sold.lines AS lines, sold.units AS units, sold.gross_minor AS gross_minor,
    sold.discount_minor AS discount_minor, sold.shipping_minor AS shipping_minor,
    cancelled.orders AS cancelled_orders, cancelled.units AS cancelled_units,
    cancelled.gross_minor AS cancelled_gross_minor, cancelled.shipping_minor AS cancelled_shipping_minor
FROM sold
FULL OUTER JOIN cancelled USING (seller_id, minute, currency)
