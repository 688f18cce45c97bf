-- How many orders the shop has taken.
SELECT count(*) FROM orders.orders
