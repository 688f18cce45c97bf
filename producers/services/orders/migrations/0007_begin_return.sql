-- Whether a service has accepted a return of the order. Such an order can't be cancelled.
ALTER TABLE orders ADD COLUMN has_returns boolean NOT NULL DEFAULT false;

-- What was refunded for the line by returns. Amounts from before this column are those of payments, if payments has
-- processed the same returns of the line; otherwise they count as 0.
ALTER TABLE order_lines ADD COLUMN returned_minor bigint NOT NULL DEFAULT 0 CHECK (returned_minor >= 0);

UPDATE orders SET has_returns = true WHERE order_id IN (SELECT order_id FROM order_steps WHERE step = 'returned');

-- A new shop has no inventory and no payments yet.
DO $$
BEGIN
    IF to_regclass('inventory.returns') IS NOT NULL THEN
        UPDATE orders SET has_returns = true WHERE order_id IN (SELECT order_id FROM inventory.returns);
    END IF;
    IF to_regclass('payments.refunds') IS NOT NULL THEN
        UPDATE orders SET has_returns = true
        WHERE order_id IN (SELECT order_id FROM payments.refunds WHERE reason = 'order_returned');
    END IF;
    IF to_regclass('payments.due_lines') IS NOT NULL THEN
        UPDATE order_lines SET returned_minor = due.refunded_minor
        FROM payments.due_lines AS due
        WHERE due.order_id = order_lines.order_id AND due.line_number = order_lines.line_number
            AND due.returned = order_lines.returned AND due.refunded_minor > 0;
    END IF;
END
$$;

-- Returns the status of an order, NULL if there is none, and bars its cancellation if it is paid and not cancelled.
--
-- Orders, inventory and payments call this function in the transaction that accepts a return. It runs with the rights
-- of orders. Inventory and payments have locked their own row of the order before. Orders locks no row of theirs.
CREATE FUNCTION begin_return(of_order_id uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    found_status text;
BEGIN
    SELECT status INTO found_status FROM orders WHERE order_id = of_order_id FOR UPDATE;

    IF found_status IN ('confirmed', 'shipped', 'delivered') THEN
        UPDATE orders SET has_returns = true WHERE order_id = of_order_id AND NOT has_returns;
    END IF;
    RETURN found_status;
END
$$;

REVOKE ALL ON FUNCTION begin_return (uuid) FROM PUBLIC;
