-- The amount due for a line, and what was refunded for it by returns, so that inventory rejects the same returns as
-- orders and payments. Lines from before these columns have the amounts of payments, if payments has processed the same
-- returns of the line. Otherwise the amount is unknown, and refunds of the line are not checked.
ALTER TABLE reserved_lines
    ADD COLUMN amount_minor bigint,
    ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0);

-- A new shop has no payments yet.
DO $$
BEGIN
    IF to_regclass('payments.due_lines') IS NOT NULL THEN
        UPDATE reserved_lines SET amount_minor = due.amount_minor, refunded_minor = due.refunded_minor
        FROM payments.due_lines AS due
        WHERE due.order_id = reserved_lines.order_id AND due.line_number = reserved_lines.line_number
            AND due.returned = reserved_lines.returned + reserved_lines.written_off;
    END IF;
END
$$;
