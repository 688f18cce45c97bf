UPDATE refunds SET attempts = attempts + 1, try_at = $1::timestamptz + $2::interval
WHERE refund_id IN (
    SELECT refund_id FROM refunds
    WHERE try_at <= $1::timestamptz
    ORDER BY try_at
    LIMIT $3::integer
    FOR UPDATE SKIP LOCKED
)
RETURNING refund_id, order_id, amount_minor, reason, return_id, seller_id, placed_at, attempts, causation_id, trace_id,
    (SELECT payment_id FROM payments WHERE payments.order_id = refunds.order_id) AS payment_id,
    ARRAY(
        SELECT ROW(line_number, product_id, quantity, refund_minor)
        FROM refunded_lines
        WHERE refunded_lines.refund_id = refunds.refund_id
        ORDER BY position
    ) AS lines;
