-- Sets an order's status, and its payment's if given, and records the step. It deletes the payment details, because
-- payments needs them only while the order is `placed`.
WITH decided AS (
    DELETE FROM how_to_pay WHERE order_id = $1::uuid
), moved AS (
    UPDATE orders
    SET status = $2::text, cancellation_reason = $3::text, payment_status = coalesce($5::text, payment_status)
    WHERE order_id = $1::uuid
)
INSERT INTO order_steps (order_id, step, occurred_at, about, seller_id, carrier, tracking_code)
VALUES ($1::uuid, $2::text, $4::timestamptz, $6::text, $7::text, $8::text, $9::text)
ON CONFLICT DO NOTHING;
