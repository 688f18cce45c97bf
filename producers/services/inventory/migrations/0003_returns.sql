-- Each return that was taken, whichever event told of it: told again under another event's id it is not taken twice.
CREATE TABLE returns (
    order_id uuid NOT NULL REFERENCES reservations,
    return_id text NOT NULL,
    PRIMARY KEY (order_id, return_id)
);

-- Returns from before this table: a refund says by which event it was caused, the inbox that it was acted on here, too.
-- One without a refund is known by its event's id alone. A new shop has no payments yet, and no returns.
DO $$
BEGIN
    IF to_regclass('payments.refunds') IS NOT NULL THEN
        INSERT INTO returns
        SELECT refunds.order_id, refunds.return_id
        FROM payments.refunds
        JOIN reservations USING (order_id)
        JOIN inbox ON inbox.id = refunds.causation_id
        WHERE refunds.return_id IS NOT NULL;
    END IF;
END
$$;
