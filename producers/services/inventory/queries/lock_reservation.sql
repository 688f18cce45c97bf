-- Runs before any stock row is locked, so that transactions of the same order run one after the other.
SELECT order_id, reservation_id, state FROM reservations WHERE order_id = $1::uuid FOR UPDATE;
