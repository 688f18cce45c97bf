-- Cancellations by seller and the minute in which the order was placed, added up again from the facts.
SELECT
    line.seller_id AS seller_id, toString(toStartOfMinute(placed_at)) AS minute, toString(currency) AS currency,
    uniqExact(order_id) AS orders, sum(line.quantity) AS units,
    sum(line.quantity * line.unit_price_minor) AS gross_minor, sum(line.shipping_minor) AS shipping_minor
FROM order_cancelled FINAL
ARRAY JOIN order_cancelled.lines AS line
GROUP BY ALL
