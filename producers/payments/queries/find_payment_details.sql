-- Read from the schema of orders: a token must not be in a topic, which keeps its messages.
SELECT method, token, installments FROM orders.how_to_pay WHERE order_id = $1::uuid;
