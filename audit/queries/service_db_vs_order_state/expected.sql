-- The status of every order.
SELECT order_id::text AS order_id, shopper_id, currency, status FROM orders.orders;
