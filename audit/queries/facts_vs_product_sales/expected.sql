-- Sales by seller, product and minute, added up again from the facts.
SELECT
    line.seller_id AS seller_id, line.product_id AS product_id, toString(toStartOfMinute(occurred_at)) AS minute,
    toString(currency) AS currency, uniqExact(order_id) AS orders, count() AS lines, sum(line.quantity) AS units,
    sum(line.quantity * line.unit_price_minor) AS gross_minor, sum(line.discount_minor) AS discount_minor,
    sum(line.shipping_minor) AS shipping_minor
FROM order_placed FINAL
ARRAY JOIN order_placed.lines AS line
GROUP BY ALL
