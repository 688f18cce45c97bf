-- Every confirmed order of each customer of a seller.
SELECT seller_id, shopper_id, minute, order_id, currency, orders
FROM sales_lines
WHERE kind = 'sold' AND orders = 1
