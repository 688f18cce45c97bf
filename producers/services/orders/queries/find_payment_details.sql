SELECT order_id, method, token, installments FROM how_to_pay WHERE order_id = ANY ($1::uuid[]);
