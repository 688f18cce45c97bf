-- Calls a function of orders in this transaction. Events can't answer whether an order is cancelled, because its
-- `order_cancelled` may not have been read yet. The caller has locked its own row of the order before.
SELECT orders.begin_return($1::uuid);
