-- Locked before any stock row: the steps of one order run one after the other.
SELECT order_id, reservation_id, state FROM reservations WHERE order_id = $1::uuid FOR UPDATE;
