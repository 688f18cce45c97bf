-- Reads a table of orders. The token is not sent in an event, because topics retain their messages.
SELECT method, token, installments FROM orders.how_to_pay WHERE order_id = $1::uuid;
