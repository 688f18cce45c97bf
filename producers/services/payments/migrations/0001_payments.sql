-- One for each order that was heard of. What is due and that it may be paid come in two events, in either order.
CREATE TABLE payments (
    order_id uuid PRIMARY KEY,
    payment_id uuid NOT NULL UNIQUE,
    shopper_id text,
    method text,
    token text,
    installments integer,
    currency text,
    amount_minor bigint CHECK (amount_minor >= 0),
    reserved boolean NOT NULL DEFAULT false,
    cancelled boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'due', 'voiding', 'captured', 'failed', 'void')),
    failure text,
    attempts integer NOT NULL DEFAULT 0,
    try_at timestamptz,
    causation_id text,
    trace_id text NOT NULL DEFAULT '',
    CHECK (state NOT IN ('due', 'voiding', 'captured', 'failed') OR amount_minor IS NOT NULL),
    CHECK ((try_at IS NOT NULL) = (state IN ('due', 'voiding')))
);
CREATE INDEX payments_to_ask_for ON payments (try_at) WHERE try_at IS NOT NULL;

-- Money on its way back: of a cancelled order all that was taken, of a return what it says.
CREATE TABLE refunds (
    refund_id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES payments,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reason text NOT NULL CHECK (reason IN ('order_cancelled', 'order_returned')),
    return_id text,
    attempts integer NOT NULL DEFAULT 0,
    try_at timestamptz,
    causation_id text,
    trace_id text NOT NULL DEFAULT '',
    UNIQUE NULLS NOT DISTINCT (order_id, reason, return_id)
);
CREATE INDEX refunds_to_ask_for ON refunds (try_at) WHERE try_at IS NOT NULL;

-- Wakes who asks the provider, whichever process made something due.
CREATE FUNCTION wake_asking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('payments_due', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER wake_asking AFTER INSERT OR UPDATE OF state ON payments
    FOR EACH ROW WHEN (NEW.try_at IS NOT NULL) EXECUTE FUNCTION wake_asking();
CREATE TRIGGER wake_asking AFTER INSERT ON refunds FOR EACH ROW EXECUTE FUNCTION wake_asking();
