-- What was sold of each product in each minute: orders that were confirmed, and what of them was cancelled or came back since.
SELECT
    seller_id,
    product_id,
    minute,
    currency,
    sum(orders_of_product) AS orders,
    sum(lines) AS lines,
    sum(units) AS units,
    sum(gross_minor) AS gross_minor,
    sum(discount_minor) AS discount_minor,
    sum(shipping_minor) AS shipping_minor,
    sum(cancelled_orders_of_product) AS cancelled_orders,
    sum(cancelled_units) AS cancelled_units,
    sum(cancelled_gross_minor) AS cancelled_gross_minor,
    sum(cancelled_discount_minor) AS cancelled_discount_minor,
    sum(returned_units) AS returned_units,
    sum(returned_minor) AS returned_minor,
    sum(revenue_minor) AS revenue_minor
FROM sales_lines
GROUP BY seller_id, product_id, minute, currency
