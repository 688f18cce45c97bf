-- Refunds from before 0004 counted as whole. Payments has their amounts where its books are beside these: each step
-- takes the first of an order's refunds that are done and not told of yet, so that one still on its way counts when it
-- is told. A new shop has no payments yet, and no refunds; of refunds kept elsewhere nothing more is known.
DO $$
BEGIN
    IF to_regclass('payments.refunds') IS NULL THEN
        RETURN;
    END IF;

    WITH untold AS (
        SELECT order_id, occurred_at, row_number() OVER (PARTITION BY order_id ORDER BY occurred_at) AS nth
        FROM order_steps
        WHERE step = 'refunded' AND about = ''
    ), done AS (
        SELECT order_id, refund_id::text, row_number() OVER (PARTITION BY order_id ORDER BY refund_id) AS nth
        FROM payments.refunds
        WHERE try_at IS NULL AND NOT EXISTS (
            SELECT FROM order_steps
            WHERE order_steps.order_id = refunds.order_id AND step = 'refunded' AND about = refund_id::text
        )
    )
    UPDATE order_steps SET about = done.refund_id
    FROM untold JOIN done USING (order_id, nth)
    WHERE order_steps.order_id = untold.order_id AND step = 'refunded' AND about = ''
        AND order_steps.occurred_at = untold.occurred_at;

    WITH told AS (
        SELECT refunds.order_id, sum(refunds.amount_minor)::bigint AS amount_minor
        FROM payments.refunds
        JOIN order_steps ON order_steps.order_id = refunds.order_id AND step = 'refunded' AND about = refund_id::text
        GROUP BY refunds.order_id
    )
    UPDATE orders
    SET refunded_minor = least(told.amount_minor, orders.amount_minor),
        payment_status = CASE WHEN told.amount_minor >= orders.amount_minor THEN 'refunded' ELSE 'captured' END
    FROM told
    WHERE told.order_id = orders.order_id;
END
$$;
