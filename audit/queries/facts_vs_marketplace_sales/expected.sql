-- Sales of the whole marketplace by minute, added up again from the facts; orders without lines count too.
SELECT
    toString(toStartOfMinute(occurred_at)) AS minute, toString(currency) AS currency,
    uniqExact(order_id) AS orders, sum(length(placed.lines)) AS lines,
    sum(arraySum(placed.lines.quantity)) AS units,
    sum(arraySum(line -> line.quantity * line.unit_price_minor, placed.lines)) AS gross_minor,
    sum(arraySum(placed.lines.discount_minor)) AS discount_minor,
    sum(arraySum(placed.lines.shipping_minor)) AS shipping_minor
FROM order_placed AS placed FINAL
GROUP BY minute, currency
