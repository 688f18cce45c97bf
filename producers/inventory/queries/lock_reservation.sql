-- Before any stock row: what happens to one order happens one after the other.
SELECT order_id, reservation_id, state FROM reservations WHERE order_id = $1::uuid FOR UPDATE;
