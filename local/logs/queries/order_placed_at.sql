-- Returns when an order was placed.
SELECT placed_at FROM orders.orders WHERE order_id = $1::uuid;
