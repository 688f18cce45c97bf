-- Locks the payment of an order, and creates it if there is none. Transactions of one payment run one after the other.
INSERT INTO payments (order_id, payment_id) VALUES ($1::uuid, $2::uuid)
ON CONFLICT (order_id) DO UPDATE SET order_id = excluded.order_id
RETURNING order_id, payment_id, shopper_id, method, installments, currency, amount_minor, reserved, cancelled,
    state, attempts;
