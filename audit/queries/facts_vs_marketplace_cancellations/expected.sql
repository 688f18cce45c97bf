-- Cancellations of the whole marketplace by the minute in which the order was placed, from the facts.
SELECT
    toString(toStartOfMinute(placed_at)) AS minute, toString(currency) AS currency,
    uniqExact(order_id) AS orders, sum(arraySum(lines.quantity)) AS units,
    sum(arraySum(line -> line.quantity * line.unit_price_minor, lines)) AS gross_minor,
    sum(arraySum(lines.shipping_minor)) AS shipping_minor
FROM order_cancelled FINAL
GROUP BY minute, currency
