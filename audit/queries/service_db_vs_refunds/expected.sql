-- Completed refunds, and what came back for those of a return.
SELECT
    refund_id::text AS refund_id,
    payment_id::text AS payment_id,
    order_id::text AS order_id,
    shopper_id,
    currency,
    reason,
    return_id,
    refunds.amount_minor,
    seller_id,
    to_char(date_trunc('milliseconds', placed_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS.MS') AS placed_at,
    coalesce((
        SELECT string_agg(concat_ws(' ', line_number, product_id, quantity, refund_minor, coalesce(marketplace_minor, 0)), ', '
            ORDER BY position)
        FROM payments.refunded_lines
        WHERE refunded_lines.refund_id = refunds.refund_id
    ), '') AS lines
FROM payments.refunds
JOIN payments.payments USING (order_id)
WHERE refunds.try_at IS NULL;
