-- Sales of the whole marketplace by minute, added up again from the facts; orders without lines count too.
SELECT
    toString(toStartOfMinute(occurred_at)) AS minute, toString(currency) AS currency,
    uniqExact(order_id) AS orders, sum(length(lines)) AS lines, sum(arraySum(lines.quantity)) AS units,
    sum(arraySum(line -> line.quantity * line.unit_price_minor, lines)) AS gross_minor,
    sum(arraySum(lines.discount_minor)) AS discount_minor, sum(arraySum(lines.shipping_minor)) AS shipping_minor
FROM order_placed FINAL
GROUP BY minute, currency
