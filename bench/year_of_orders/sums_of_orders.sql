-- The sums of the confirmed orders; an order counts once for each of its sellers in `orders_of_sellers`.
SELECT
    count() AS orders,
    sum(length(arrayDistinct(order_confirmed.lines.seller_id))) AS orders_of_sellers,
    sum(length(order_confirmed.lines)) AS lines,
    sum(arraySum(order_confirmed.lines.quantity)) AS units,
    sum(arraySum(line -> line.quantity * line.unit_price_minor, order_confirmed.lines)) AS gross_minor,
    sum(arraySum(order_confirmed.lines.discount_minor)) AS discount_minor,
    sum(arraySum(order_confirmed.lines.shipping_minor)) AS shipping_minor,
    gross_minor - discount_minor AS revenue_minor
FROM order_confirmed
