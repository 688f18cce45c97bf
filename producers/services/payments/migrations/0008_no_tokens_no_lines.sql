-- Payments asks orders for the token when it charges, and keeps none. Orders alone checks the lines of returns.
ALTER TABLE payments DROP COLUMN token;
DROP TABLE due_lines;

-- Closes the payment of an order whose reservation has expired. True if nothing was taken, and nothing will be: then
-- the units may be sold to someone else. False if the money was taken, or if the provider may have taken it: then the
-- provider is told to void the payment, and its answer decides. An order that payments does not know yet gets a closed
-- payment of the id `new_payment_id`.
DROP FUNCTION close_unpaid (uuid, uuid);
CREATE FUNCTION close_unpaid(of_order_id uuid, new_payment_id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    payment payments%ROWTYPE;
BEGIN
    INSERT INTO payments (order_id, payment_id, cancelled, state)
    VALUES (of_order_id, new_payment_id, true, 'void')
    ON CONFLICT (order_id) DO NOTHING;

    SELECT * INTO payment FROM payments WHERE order_id = of_order_id FOR UPDATE;

    IF payment.state IN ('void', 'failed') THEN
        RETURN true;
    END IF;
    IF payment.state = 'waiting' OR (payment.state = 'due' AND payment.attempts = 0) THEN
        UPDATE payments SET cancelled = true, state = 'void', try_at = NULL WHERE order_id = of_order_id;
        RETURN true;
    END IF;
    IF payment.state = 'due' THEN
        UPDATE payments SET state = 'voiding', try_at = now() WHERE order_id = of_order_id;
    END IF;
    RETURN false;
END
$$;
