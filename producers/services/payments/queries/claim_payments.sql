-- Claims payments that are due, until their lease expires. After a crash, another worker then claims them.
UPDATE payments SET attempts = attempts + 1, try_at = $1::timestamptz + $2::interval
WHERE order_id IN (
    SELECT order_id FROM payments
    WHERE try_at <= $1::timestamptz
    ORDER BY try_at
    LIMIT $3::integer
    FOR UPDATE SKIP LOCKED
)
RETURNING order_id, payment_id, shopper_id, method, installments, currency, amount_minor, reserved, cancelled,
    state, attempts, causation_id, trace_id;
