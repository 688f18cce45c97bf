-- Returns that orders accepted before it told of them by `return_settled`, unless inventory and payments, which read
-- `order_returned` until then, have both recorded them. The worker `returns_of_before.py` settles them.
CREATE TABLE unsettled_returns (
    order_id uuid NOT NULL REFERENCES orders,
    return_id text NOT NULL,
    PRIMARY KEY (order_id, return_id)
);

INSERT INTO unsettled_returns
SELECT DISTINCT order_id, about FROM order_steps WHERE step = 'returned' AND about <> '';

DO $$
BEGIN
    IF to_regclass('inventory.returns') IS NOT NULL AND to_regclass('payments.returns') IS NOT NULL THEN
        DELETE FROM unsettled_returns AS ours
        USING inventory.returns AS restocked, payments.returns AS refunded
        WHERE restocked.order_id = ours.order_id AND restocked.return_id = ours.return_id
            AND refunded.order_id = ours.order_id AND refunded.return_id = ours.return_id;
    END IF;
END
$$;

DROP FUNCTION begin_return (uuid);
