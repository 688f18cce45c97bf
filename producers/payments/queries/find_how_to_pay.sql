-- The one thing that is read in another service's schema: a token must lie in no topic, which keeps it for ever.
SELECT method, token, installments FROM orders.how_to_pay WHERE order_id = $1::uuid;
